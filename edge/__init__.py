"""What Envoy asks of us.

Owns: admission by meter (ext_authz), reflection for operators, the OpenAPI document. Does not own: credit (quota_svc
does), tokens and rate limits (Envoy keeps them by what the control plane serves it).
"""
