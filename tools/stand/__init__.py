"""The stand: real servers on loopback, started for the tests, the benchmarks and the quick start.

    cluster    a Kubernetes API server with etcd, controllers, nodes by kwok
    postgres   PostgreSQL, and pgbouncer before it
    programs   our own programs with their configuration and keys
    nginx      the site as shipped in nginx/
    site       programs and nginx together, with a database of their own
    client     somebody who uses it over HTTP

Each class takes a directory in which everything of it lies (data, sockets, pids/, logs/), and
ends exactly the processes it has started.
"""
