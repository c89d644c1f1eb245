"""AWS's list prices, in US dollars, without any free tier."""

from __future__ import annotations

from typing import Final

REGION: Final = "us-east-1"
PRICES_OF: Final = "June 2026"
"""From https://aws.amazon.com/lambda/pricing, …/sqs/pricing, …/eventbridge/pricing, …/dynamodb/pricing/on-demand,
…/api-gateway/pricing, …/cloudwatch/pricing, …/firehose/pricing and …/xray/pricing."""

MILLION: Final = 1e6

HTTP_API_REQUEST: Final = 1.00 / MILLION
LAMBDA_REQUEST: Final = 0.20 / MILLION
LAMBDA_GB_SECOND: Final = 0.0000133334
"""On arm64, which is the default."""
SNAPSHOT_GB_HOUR: Final = 0.0000015046 * 3600
RESTORED_GB: Final = 0.0001397998
"""SnapStart's, by the function's memory: of each published version, three hours at least, and of each restore. AWS's
page draws its numbers in the browser: these are of May 2026, as
https://awsnegotiations.com/blog/lambda-snapstart-cost-impact quotes them."""
PUBLISHED_CHUNK: Final = 1.00 / MILLION
"""EventBridge counts an event as so many of 64 KB as it fills."""
CHUNK_BYTES: Final = 64 * 1024
API_DESTINATION_CALL: Final = 0.20 / MILLION
ARCHIVED_GB: Final = 0.10
SQS_REQUEST: Final = 0.40 / MILLION
"""Of a standard queue; one of 64 KB counts as one request."""
WRITE_UNIT: Final = 0.625 / MILLION
"""Of DynamoDB on demand, for an item of up to 1 KB."""
READ_UNIT: Final = 0.125 / MILLION
LOGGED_GB: Final = 0.50
TRACE: Final = 5.00 / MILLION
"""Recorded by X-Ray."""
GB: Final = 1e9
