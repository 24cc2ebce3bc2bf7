"""Reconciliations as the contract says them."""

from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain.drift import Drift, DriftKind, Failed, Finished, Progress, Told

KINDS = {kind: f"DRIFT_KIND_{kind.name}" for kind in DriftKind}


def event_to_proto(told: Told) -> billing_pb2.ReconcileEvent:
    match told:
        case Progress(compared):
            return billing_pb2.ReconcileEvent(progress=billing_pb2.ReconcileProgress(compared=compared))
        case Drift():
            return billing_pb2.ReconcileEvent(drift=drift_to_proto(told))
        case Finished(compared, drifts, repaired):
            finished = billing_pb2.ReconcileFinished(compared=compared, drifts=drifts, repaired=repaired)
            return billing_pb2.ReconcileEvent(finished=finished)
        case Failed(reason, message):
            return billing_pb2.ReconcileEvent(failed=billing_pb2.ReconcileFailed(reason=reason, message=message))


def drift_to_proto(one: Drift) -> billing_pb2.Drift:
    return billing_pb2.Drift(
        kind=KINDS[one.kind],
        user=f"users/{one.user}" if one.user else "",
        id=one.id,
        ours=one.ours,
        theirs=one.theirs,
        repaired=one.repaired,
    )
