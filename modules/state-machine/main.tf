data "aws_partition" "current" {}

data "aws_region" "current" {}

# The type that the state machine was first deployed as. AWS changes none (its UpdateStateMachine has no type), so another type
# is another machine, beside the former one until nothing leads there any more. It needs a name of its own.
resource "terraform_data" "first_type" {
  input = var.type

  lifecycle {
    ignore_changes = [input]
  }
}

locals {
  # The account without asking AWS for it, which a plan with dummy credentials could not.
  account_id = split(":", local.log_group.arn)[4]
  log_group = var.existing_log_group == null ? { name = aws_cloudwatch_log_group.this[0].name, arn = aws_cloudwatch_log_group.this[0].arn } : {
    name = split(":", var.existing_log_group.arn)[6]
    arn  = trimsuffix(var.existing_log_group.arn, ":*")
  }

  first_type   = terraform_data.first_type.input
  names        = { for type in ["STANDARD", "EXPRESS"] : type => type == local.first_type ? var.name : "${var.name}-${lower(type)}" }
  machine_arns = [for name in values(local.names) : "arn:${data.aws_partition.current.partition}:states:${data.aws_region.current.id}:${local.account_id}:stateMachine:${name}"]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Logs are encrypted by CloudWatch; settings.kms_key sets a customer managed key. They hold no payloads by default
  #checkov:skip=CKV_AWS_338:The user chooses how long logs are kept (settings.logs); a year costs money that few want to spend
  # Under /aws/vendedlogs/ the group needs no entry in the account's resource policy for log delivery, which fills up.
  count = var.existing_log_group == null ? 1 : 0

  name              = "/aws/vendedlogs/states/${var.name}"
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

resource "aws_sfn_state_machine" "this" {
  #checkov:skip=CKV_AWS_284:Correlation is by event and correlation id; X-Ray bills every trace: settings.tracing turns it on
  #checkov:skip=CKV_AWS_285:Executions are logged at ERROR; their data, partners' payloads, only where log_execution_data says so
  name     = local.names[var.type]
  type     = var.type
  role_arn = local.role_arn
  tags     = var.settings.tags

  # Unknown until the role and the log group are there: the provider sends a definition that it knows to AWS already when planning, and a
  # machine that is still to be made must be plannable without AWS.
  definition = local.role_arn == "" || local.log_group.arn == "" ? "" : var.definition

  logging_configuration {
    level                  = var.log_level
    include_execution_data = var.log_execution_data
    log_destination        = "${local.log_group.arn}:*"
  }

  # Also where it is off: without the block, an active one would stay.
  tracing_configuration {
    enabled = var.settings.tracing == "Active"
  }

  dynamic "encryption_configuration" {
    for_each = var.settings.kms_key[*]

    content {
      type                              = "CUSTOMER_MANAGED_KMS_KEY"
      kms_key_id                        = encryption_configuration.value.arn
      kms_data_key_reuse_period_seconds = 300
    }
  }

  # Step Functions tries the role's permissions for logs when the state machine is made.
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this]

  # One of another type goes after what starts it leads to the new one.
  lifecycle {
    create_before_destroy = true
  }
}
