"""Every kind of file of arrays, by the stages that write it."""

from pipeline.records.asymptotics import FirstOrders
from pipeline.records.flow import Endpoints
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.problems import Problems

KINDS = {
    "problems": Problems,
    "l1, selection": Minimizers,
    "null_space": NullSpaceConstants,
    "limit": LimitPoints,
    "asymptotics": FirstOrders,
    "flow, plain_flow": Endpoints,
}
