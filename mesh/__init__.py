"""The control plane: tells Envoy and every gRPC client where the services are and how they may be called.

Owns the xDS resources that are derived from the contract, the live endpoints, the token issuers and the local
certificate authority. Does not own the contract (`protos/`), a request's path (no call passes through here) or the
leases themselves (`runtime.registry` keeps them).
"""
