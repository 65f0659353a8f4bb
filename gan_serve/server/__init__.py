"""The HTTP server: one process, one session for each model, shared by every way to ask.

    settings    what an operator may set
    engine      queues and runners: who is computed when
    library     which models are served; loading, reloading
    pulse       whether models still run
    gate        what every request passes: limits, keys, ids, errors, logs, metrics
    plain       the plain API under /v1
    protocol    the Open Inference Protocol under /v2
    run         the process: sockets, signals, draining

It needs the extra `serve`; nothing outside this package imports it but the command `gan-serve serve`.
"""
