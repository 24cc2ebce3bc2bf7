"""Transport sockets: mutual TLS inside the mesh, ordinary TLS to the outside."""

import warnings

from envoy_data_plane.envoy.config.core.v3 import DataSource, TransportSocket
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateProviderPluginInstance,
    CertificateValidationContext,
    CommonTlsContext,
    CommonTlsContextCombinedCertificateValidationContext,
    SdsSecretConfig,
    SubjectAltNameMatcher,
    SubjectAltNameMatcherSanType,
    UpstreamTlsContext,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

from mesh.resources.resource import packed

# Static secrets of Envoy's bootstrap.
IDENTITY_SECRET = "identity"  # noqa: S105 (the name of one)
AUTHORITY_SECRET = "authority"  # noqa: S105
# The certificate provider in the gRPC clients' bootstrap.
PROVIDER_INSTANCE = "mesh"
SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def mutual(spiffe_id: str) -> TransportSocket:
    """Envoy's side of mutual TLS with the holder of `spiffe_id`."""
    validation = CertificateValidationContext(
        match_typed_subject_alt_names=[_san(SubjectAltNameMatcherSanType.URI, spiffe_id)]
    )
    context = CommonTlsContext(
        tls_certificate_sds_secret_configs=[SdsSecretConfig(name=IDENTITY_SECRET)],
        combined_validation_context=CommonTlsContextCombinedCertificateValidationContext(
            default_validation_context=validation,
            validation_context_sds_secret_config=SdsSecretConfig(name=AUTHORITY_SECRET),
        ),
        alpn_protocols=["h2"],
    )
    return _socket(UpstreamTlsContext(common_tls_context=context))


def mutual_proxyless(spiffe_id: str) -> TransportSocket:
    """A gRPC client's side of mutual TLS with the holder of `spiffe_id`."""
    provider = CertificateProviderPluginInstance(instance_name=PROVIDER_INSTANCE)
    # gRPC reads `match_subject_alt_names` and not its typed successor; the library warns of the older field's age.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        validation = CertificateValidationContext(
            ca_certificate_provider_instance=provider, match_subject_alt_names=[StringMatcher(exact=spiffe_id)]
        )
        context = CommonTlsContext(tls_certificate_provider_instance=provider, validation_context=validation)
        return _socket(UpstreamTlsContext(common_tls_context=context))


def public(host: str) -> TransportSocket:
    """TLS to a host on the internet, known by the system's authorities."""
    validation = CertificateValidationContext(
        trusted_ca=DataSource(filename=SYSTEM_AUTHORITIES),
        match_typed_subject_alt_names=[_san(SubjectAltNameMatcherSanType.DNS, host)],
    )
    return _socket(UpstreamTlsContext(common_tls_context=CommonTlsContext(validation_context=validation), sni=host))


def _san(kind: SubjectAltNameMatcherSanType, exact: str) -> SubjectAltNameMatcher:
    return SubjectAltNameMatcher(san_type=kind, matcher=StringMatcher(exact=exact))


def _socket(context: UpstreamTlsContext) -> TransportSocket:
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(context))
