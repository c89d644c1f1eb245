locals {
  packaged_zip = "${path.module}/../../../lambda_src/dist/media_events.zip"

  # Which version made the function. Nothing else has it: an upgrade would change every resource, and this one changes with its code anyway.
  version      = try(jsondecode(file("${path.module}/../../../lambda_src/dist/media_events.cdx.json")).metadata.component.version, null)
  version_tags = local.version == null ? {} : { media-events-version = local.version }

  # An S3 package leaves filename null; no package at all means the zip that comes with the repository.
  filename = var.settings.package == null ? local.packaged_zip : var.settings.package.filename

  # The function's precondition reports a missing file; filebase64sha256 would fail first, without advice.
  source_code_hash = try(coalesce(
    try(var.settings.package.source_code_hash, null),
    local.filename == null ? null : fileexists(local.filename) ? filebase64sha256(local.filename) : null,
  ), null)

  has_configuration    = var.configuration != null
  configuration_prefix = "configuration/${var.name}"
  configuration_sha256 = local.has_configuration ? sha256(var.configuration) : null
  configuration_key    = local.has_configuration ? "${local.configuration_prefix}/${local.configuration_sha256}.json" : null

  # Lambda takes 4 KB of variables (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). The others stay below half of it.
  packed_configuration = local.has_configuration ? base64gzip(var.configuration) : ""
  max_packed_bytes     = 2048

  configuration_setting = local.has_configuration ? {
    CONFIGURATION_URI    = "s3://${aws_s3_object.configuration[0].bucket}/${aws_s3_object.configuration[0].key}"
    CONFIGURATION_SHA256 = local.configuration_sha256
    # Empty is unset: the function then reads the document in S3, as one of an older package does anyway.
    CONFIGURATION = length(local.packed_configuration) <= local.max_packed_bytes ? local.packed_configuration : ""
  } : {}

  powertools_settings = {
    POWERTOOLS_SERVICE_NAME      = var.name
    POWERTOOLS_METRICS_NAMESPACE = "MediaEvents"
    POWERTOOLS_LOG_LEVEL         = var.function.log_level
  }

  tracing         = var.function.tracing == null ? var.settings.tracing : var.function.tracing
  tracing_setting = local.tracing == "Active" ? { TRACING = "Active" } : {}
}

################################################################################
# Log group
################################################################################

locals {
  own_log_group = var.function.log_group == null
  log_group = local.own_log_group ? { name = aws_cloudwatch_log_group.this[0].name, arn = aws_cloudwatch_log_group.this[0].arn } : {
    name = split(":", var.function.log_group.arn)[6]
    arn  = trimsuffix(var.function.log_group.arn, ":*")
  }
}

# Made before the function: Lambda would create it on the first invocation, and it would keep its logs for ever.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Logs are encrypted by CloudWatch; settings.kms_key sets a key of your own. They never hold payloads or secrets
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice (settings.logs.retention_days); a year costs money that few want to spend
  count = local.own_log_group ? 1 : 0

  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.settings.logs.retention_days
  log_group_class   = var.settings.logs.class
  kms_key_id        = one(var.settings.kms_key[*].arn)
  tags              = var.settings.tags

  # A group's class can't be changed, and another group would be without what is in this one.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
  lifecycle {
    ignore_changes = [log_group_class]
  }
}

moved {
  from = aws_cloudwatch_log_group.this
  to   = aws_cloudwatch_log_group.this[0]
}

################################################################################
# Configuration
################################################################################

# The key is made of the content, so a new configuration is a new object, and the old one stays until the function has
# moved on: whichever version of the function starts finds the document that it was deployed with.
resource "aws_s3_object" "configuration" {
  #checkov:skip=CKV_AWS_186:Encrypted with the bucket's default key, which is the customer managed key where there is one
  count = local.has_configuration ? 1 : 0

  bucket       = var.settings.bucket.name
  key          = local.configuration_key
  content      = var.configuration
  content_type = "application/json"

  # No tags, not even the provider's default ones: S3 takes ten on an object, and a workflow may have fifty
  # (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html).
  override_provider {
    default_tags {
      tags = {}
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

################################################################################
# Function
################################################################################

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:Correlation is by event and correlation id in structured logs; X-Ray bills every trace: settings.tracing turns it on
  #checkov:skip=CKV_AWS_115:Reserving concurrency takes it from every other function of the account: function.reserved_concurrency is the user's choice
  #checkov:skip=CKV_AWS_116:Queues feed the functions and keep messages that fail; an asynchronous caller brings its own destination
  #checkov:skip=CKV_AWS_117:The functions call public APIs of AWS and partners, where a VPC adds NAT and no protection: settings.vpc is the user's choice
  #checkov:skip=CKV_AWS_173:Lambda encrypts the environment; settings.kms_key sets a key of your own. It never holds secrets
  #checkov:skip=CKV_AWS_272:The zip is pinned by its hash; code signing needs a signing profile that a reusable module can't assume
  function_name = var.name
  description   = var.description
  role          = local.role_arn

  filename          = local.filename
  s3_bucket         = try(var.settings.package.s3_bucket, null)
  s3_key            = try(var.settings.package.s3_key, null)
  s3_object_version = try(var.settings.package.s3_object_version, null)
  source_code_hash  = local.source_code_hash

  handler                        = var.handler
  layers                         = var.layers
  runtime                        = var.function.runtime
  architectures                  = [var.function.architecture]
  memory_size                    = var.function.memory_mb
  timeout                        = var.function.timeout_seconds
  reserved_concurrent_executions = var.function.reserved_concurrency == null ? -1 : var.function.reserved_concurrency
  kms_key_arn                    = one(var.settings.kms_key[*].arn)

  environment {
    variables = merge(local.powertools_settings, local.tracing_setting, local.configuration_setting, var.environment)
  }

  dynamic "vpc_config" {
    for_each = var.settings.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  tracing_config {
    mode = local.tracing
  }

  publish = var.function.snap_start

  dynamic "snap_start" {
    for_each = var.function.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  logging_config {
    log_format = "Text" # the code writes JSON lines itself
    log_group  = local.log_group.name
  }

  tags = merge(var.settings.tags, local.version_tags)

  # The function must not start, nor anything be told to invoke it, before its role may do its work.
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this]

  lifecycle {
    precondition {
      condition     = local.filename == null ? true : fileexists(local.filename)
      error_message = var.settings.package == null ? "The Lambda package ${local.packaged_zip} does not exist. Run `make package` in the repository that this module is from, or set settings.package." : "settings.package.filename: there is no file ${coalesce(local.filename, "-")} on the machine that runs Terraform."
    }
  }
}

# SnapStart is for published versions and their aliases alone. This one follows the newest version, which the provider first waits for, so
# that events never meet one whose snapshot is not ready: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
resource "aws_lambda_alias" "live" {
  count = var.function.snap_start ? 1 : 0

  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  # It goes after whatever invokes it has another address.
  lifecycle {
    create_before_destroy = true
  }
}

# By default Lambda stops a function that one chain of requests has invoked some 16 times, and follows the chain through SQS, SNS, S3 and other
# functions: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
resource "aws_lambda_function_recursion_config" "this" {
  count = var.recursive_loop == "Allow" ? 1 : 0

  function_name  = aws_lambda_function.this.function_name
  recursive_loop = var.recursive_loop
}
