"""Type-II networks: networks that take their weight sharing from the data (eqs. 1, 5 and 6 of the paper)."""

from liescope.type2.choice import CANDIDATES, SchemeChoice, Weighed, select_scheme
from liescope.type2.classifier import Type2Classifier, Type2Regressor
from liescope.type2.copies import orbit_copies
from liescope.type2.evidence import Evidence, PooledProcess
from liescope.type2.layers import OrbitConv, OrbitLift, OrbitPool, PowerSeries
from liescope.type2.learn import learn_scheme
from liescope.type2.moving import Canonicaliser, SymmetryAugment
from liescope.type2.network import OrbitNetwork, train
from liescope.type2.page import write_choice
from liescope.type2.scheme import FAMILIES, Scheme
from liescope.type2.trying import try_schemes

__all__ = [
    "CANDIDATES",
    "FAMILIES",
    "Canonicaliser",
    "Evidence",
    "OrbitConv",
    "OrbitLift",
    "OrbitNetwork",
    "OrbitPool",
    "PooledProcess",
    "PowerSeries",
    "Scheme",
    "SchemeChoice",
    "SymmetryAugment",
    "Type2Classifier",
    "Type2Regressor",
    "Weighed",
    "learn_scheme",
    "orbit_copies",
    "select_scheme",
    "train",
    "try_schemes",
    "write_choice",
]
