"""Downloads: one polite, guarded way to every remote service, a cache that regions share, and a plan before it starts.

urllib3 carries the requests. It comes with earthengine-api and snakemake anyway, bounds the connections to a host,
notices a body that ends early, reads Retry-After, and leaves redirects, retries and the address that is connected to
in the hands of its user, which is what the promises here need.
"""
