# Where workflows and the events that they wait for meet: a table, and the function with which a workflow's task begins to wait.

################################################################################
# Table
################################################################################

resource "aws_dynamodb_table" "waits" {
  name         = var.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  # Encrypted with a key that DynamoDB owns where there is no customer managed key: "enabled" alone would mean the key
  # that AWS manages, which costs per request and adds nothing.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  tags = var.tags
}

################################################################################
# Function
################################################################################

module "function" {
  source = "../internal/lambda-function"

  name            = var.name
  description     = "Lets a workflow's task wait for a partner's event"
  handler         = "media_events.handlers.wait.handler"
  timeout_seconds = 30
  memory_mb       = var.memory_mb

  environment = { WAITS_TABLE = aws_dynamodb_table.waits.name }

  policy_statements = {
    Waits = {
      actions   = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"]
      resources = [aws_dynamodb_table.waits.arn]
    }
    # These actions know no resource-level permission: who has a task's token may answer that task, and tokens are in the
    # table alone.
    AnswerTasks = {
      actions   = ["states:SendTaskFailure", "states:SendTaskSuccess"]
      resources = ["*"]
    }
  }

  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}
