"""What happens around every call, whatever its arity.

An interceptor gives an async context manager around a `Call`, or does what it has to do before it and gives None. The
order, outermost first, and why:

1. telemetry   sees the final status and the whole time; brings the request id that all others use
2. errors      turns what the rest raises into a status, so nothing below needs to know the wire
3. identity    decides before any work is done for the caller
4. deadline    bounds the work, validation included
5. validation  gives the handler only requests that keep the contract's rules
"""

from runtime.interceptors.call import Interceptor, Interceptors
from runtime.interceptors.deadline import deadline
from runtime.interceptors.errors import errors
from runtime.interceptors.identity import identity
from runtime.interceptors.telemetry import telemetry
from runtime.interceptors.validation import validation

ORDER: tuple[Interceptor, ...] = (telemetry, errors, identity, deadline, validation)

__all__ = ["ORDER", "Interceptor", "Interceptors"]
