# Where workflows and the events that they wait for meet: a table, and the function with which a workflow's task registers its token.

locals {
  hop = "task-callbacks/${var.name}"
}

################################################################################
# Table
################################################################################

resource "aws_dynamodb_table" "callbacks" {
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
    for_each = var.settings.kms_key[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value.arn
    }
  }

  tags = var.settings.tags

  lifecycle {
    # Executions run for up to a year with the address that they began with, so the alias could never go.
    precondition {
      condition     = !var.function.snap_start
      error_message = "function.snap_start is not for task callbacks: running executions go on invoking the function by the address that they began with."
    }
  }
}

################################################################################
# Function
################################################################################

module "function" {
  source = "../internal/lambda-function"

  name        = var.name
  hop         = local.hop
  description = "Registers the token of a workflow's task that waits for a partner's event"
  handler     = "media_events.handlers.register_task_token.handler"

  environment = { TASK_CALLBACKS_TABLE = aws_dynamodb_table.callbacks.name }

  policy_statements = {
    TaskCallbacks = {
      actions   = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"]
      resources = [aws_dynamodb_table.callbacks.arn]
    }
    # These actions know no resource-level permission: a task's token is what allows to answer that task, and tokens are in
    # the table alone.
    AnswerTasks = {
      actions   = ["states:SendTaskFailure", "states:SendTaskSuccess"]
      resources = ["*"]
    }
  }

  settings = var.settings
  function = var.function
}
