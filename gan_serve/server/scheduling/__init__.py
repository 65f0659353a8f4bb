"""Which request runs next: a bounded queue for each model, served round-robin by one worker per core."""
