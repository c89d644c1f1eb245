"""All mutants. At least 60, of which the model alone notices 45."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants import consuming, delivering, ordering, publishing, recovering, replaying, storing, wiring
from tests.faults.mutants.mutant import Mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    *publishing.MUTANTS,
    *consuming.MUTANTS,
    *delivering.MUTANTS,
    *ordering.MUTANTS,
    *recovering.MUTANTS,
    *replaying.MUTANTS,
    *storing.MUTANTS,
    *wiring.MUTANTS,
)
