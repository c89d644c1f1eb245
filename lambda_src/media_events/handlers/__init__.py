"""One file per Lambda function: read the settings once, wire the parts, and map the outcome."""

import gc
import os

if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
    # While a function is loaded there is next to no garbage, and looking for it takes 15 ms. Each handler ends with
    # `cold_start.during_init`, which turns it on again.
    gc.disable()
