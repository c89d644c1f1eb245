################################################################################
# CloudTrail, on request: who called what, past the review service and its audit
################################################################################

locals {
  # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
  trailed = {
    "Review table" = { type = "AWS::DynamoDB::Table", arns = [aws_dynamodb_table.items.arn], operator = "equals" }
    "Audit"        = { type = "AWS::S3::Object", arns = ["${local.audit.arn}/"], operator = "starts_with" }
    "Functions"    = { type = "AWS::Lambda::Function", arns = concat([module.function.function_arn], local.named.functions.arns), operator = "equals" }
  }
}

resource "aws_cloudtrail" "this" {
  #checkov:skip=CKV_AWS_35:The bucket's owner chooses the key: it may be another account's
  #checkov:skip=CKV_AWS_67:All that it records is in one region
  #checkov:skip=CKV_AWS_252:Nobody needs to know of each log file
  #checkov:skip=CKV2_AWS_10:The alarms of this module tell of what needs a person; the trail is evidence
  count = var.trail == null ? 0 : 1

  name                          = var.name
  s3_bucket_name                = var.trail.bucket_name
  s3_key_prefix                 = var.trail.key_prefix
  enable_log_file_validation    = true
  include_global_service_events = false
  tags                          = var.settings.tags

  dynamic "advanced_event_selector" {
    for_each = local.trailed

    content {
      name = advanced_event_selector.key

      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }

      field_selector {
        field  = "resources.type"
        equals = [advanced_event_selector.value.type]
      }

      field_selector {
        field       = "resources.ARN"
        equals      = advanced_event_selector.value.operator == "equals" ? advanced_event_selector.value.arns : null
        starts_with = advanced_event_selector.value.operator == "equals" ? null : advanced_event_selector.value.arns
      }
    }
  }
}
