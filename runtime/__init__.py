"""What every process needs to be one of the mesh.

Owns: settings, logs, telemetry, the serving loop and its interceptors, channels to siblings, errors on the wire,
Postgres and Redis connections, the lease in the registry. Does not own: any rule of the product.
"""
