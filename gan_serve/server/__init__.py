"""The HTTP server: one process that runs every model and answers every API.

The process:

    run               sockets, signals, startup and shutdown
    settings          options: environment variables and flags
    logs, metrics     JSON log lines; Prometheus metrics
    library           models on disk: loading, warm-up, reloading
    liveness          whether the models still run
    service           the state that all routes share

The path of a request:

    connection        the TCP connection: timeouts, disconnects
    middleware        limits, keys, request ids, errors, access log
    root_path         the path prefix behind a proxy
    request_context   what is known about the request in progress
    auth              API keys and the admin token
    app               the routing table
    api/              the routes: `/v1`, `/v2`, operations
    scheduling/       queues, worker threads, batches
    errors, responses API errors, and the JSON that reports them

It needs the extra `serve`. Outside this package only `gan_serve.demo`, `gan_serve.deploy` and the commands `serve`,
`demo` and `health` import it.
"""
