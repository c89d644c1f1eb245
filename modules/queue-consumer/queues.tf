locals {
  deny_without_tls = {
    Sid       = "DenyWithoutTls"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }

  # EventBridge sends with its own principal: the rules are named, or any account's rule could use the queue.
  allow_rules = length(var.allowed_rule_arns) == 0 ? [] : [{
    Sid       = "AllowRules"
    Effect    = "Allow"
    Principal = { Service = "events.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Condition = { ArnEquals = { "aws:SourceArn" = var.allowed_rule_arns } }
  }]
}

# Policies and redrive policies are inline, and the queues know of one another by composed ARNs: the AWS provider waits
# half a minute for every queue, and again for every separate policy.
resource "aws_sqs_queue" "dlq" {
  name                       = local.dlq_name
  fifo_queue                 = var.fifo ? true : null
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = var.dlq_visibility_timeout_seconds
  max_message_size           = local.max_message_size
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn
  tags                       = var.tags

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in concat([local.deny_without_tls], local.allow_rules) : merge(statement, { Resource = local.dlq_arn })]
  })

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })
}

resource "aws_sqs_queue" "this" {
  name                       = local.queue_name
  fifo_queue                 = var.fifo ? true : null
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = coalesce(var.visibility_timeout_seconds, 6 * var.timeout_seconds + var.batch_window_seconds)
  max_message_size           = local.max_message_size
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn
  tags                       = var.tags

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in concat([local.deny_without_tls], local.allow_rules) : merge(statement, { Resource = local.queue_arn })]
  })

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dlq.arn
    maxReceiveCount     = var.max_receive_count
  })
}
