"""The parts of one running server, made once by `service.app` and handed to the routes."""

from dataclasses import dataclass

from service.admission import Admission
from service.changes import Changes
from service.docking import Docks
from service.engine.protocol import Engine
from service.events import Events
from service.keys import Keys
from service.lifecycle import Lifecycle
from service.metrics import Metrics
from service.promotions import Promotions
from service.reconciler import Reconciler
from service.solving.options import SolvingRules


@dataclass(frozen=True)
class Parts:
    """What a request may touch."""

    engine: Engine
    docks: Docks
    reconciler: Reconciler
    promotions: Promotions
    changes: Changes
    lifecycle: Lifecycle
    admission: Admission
    metrics: Metrics
    keys: Keys
    events: Events
    solving: SolvingRules
    started_unix_s: int
