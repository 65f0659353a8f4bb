"""Scheduling: which tasks run, and when.

task          one request to one model, with a future for its output
model_queue   the tasks that wait for one model, and the session that runs them
batching      several tasks in one run of a session
scheduler     worker threads that serve all queues in turn
"""
