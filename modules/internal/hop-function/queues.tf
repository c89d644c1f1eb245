locals {
  visibility_timeout_seconds = coalesce(var.queue.visibility_timeout_seconds, 6 * var.function.timeout_seconds + var.queue.batch_window_seconds)

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

  allow_topics = length(var.allowed_topic_arns) == 0 ? [] : [{
    Sid       = "AllowTopics"
    Effect    = "Allow"
    Principal = { Service = "sns.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Condition = { ArnEquals = { "aws:SourceArn" = var.allowed_topic_arns } }
  }]

  # Senders may send to the queue alone: each message in the dead-letter queue says why it is there.
  allow_senders = [for sid, sender in var.senders : merge(
    {
      Sid    = sid
      Effect = "Allow"
      Action = ["sqs:GetQueueUrl", "sqs:SendMessage"]
      Principal = {
        # An organisation alone is everybody, and by the condition below only those of the organisation.
        AWS = length(sender.account_ids) + length(sender.role_arns) == 0 ? ["*"] : concat(
          [for account in sender.account_ids : "arn:${data.aws_partition.current.partition}:iam::${account}:root"],
          sender.role_arns,
        )
      }
    },
    sender.organization_id == null ? {} : {
      Condition = { StringEquals = { "aws:PrincipalOrgID" = sender.organization_id } }
    },
  )]

  # A rule's or a topic's dead letters go to the same dead-letter queue as the consumer's.
  dlq_statements   = concat([local.deny_without_tls], local.allow_rules, local.allow_topics)
  queue_statements = concat(local.dlq_statements, local.allow_senders)

  queue_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.queue_statements : merge(statement, { Resource = local.queue_arn })]
  })

  # Of the policy, and the most that SQS takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
  queue_policy_sizes = {
    bytes      = { size = length(local.queue_policy), most = 8192 }
    statements = { size = length(local.queue_statements), most = 20 }
    conditions = { size = length([for statement in local.queue_statements : statement if can(statement.Condition)]), most = 10 }
    principals = { size = length(local.dlq_statements) + sum(concat([0], [for sender in values(var.senders) : max(1, length(sender.account_ids) + length(sender.role_arns))])), most = 50 }
  }
}

# Policies and redrive policies are inline, and the queues know of one another by composed ARNs: the AWS provider waits
# half a minute for every queue, and again for every separate policy.
resource "aws_sqs_queue" "dlq" {
  count = local.own_dlq ? 1 : 0

  name                       = local.dlq_name
  fifo_queue                 = var.fifo ? true : null
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = var.failure.dlq_visibility_timeout_seconds
  max_message_size           = var.settings.max_message_size
  sqs_managed_sse_enabled    = var.settings.kms_key == null ? true : null
  kms_master_key_id          = one(var.settings.kms_key[*].arn)
  tags                       = var.settings.tags

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.dlq_statements : merge(statement, { Resource = local.dlq_arn })]
  })

  # Without a queue of the module's own, which alone has it as its dead-letter queue, only rules, topics and the function send here.
  redrive_allow_policy = local.own_queue ? jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [local.queue_arn] }) : jsonencode({ redrivePermission = "denyAll" })
}

# The queue goes after what sends to it has another target, and before it a successor with another name (FIFO or not) is made. No queue is made
# again under its name at once, which SQS refuses for 60 seconds after the deletion, and Terraform then waits for:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
resource "aws_sqs_queue" "this" {
  count = local.own_queue ? 1 : 0

  name                       = local.queue_name
  fifo_queue                 = var.fifo ? true : null
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = local.visibility_timeout_seconds
  max_message_size           = var.settings.max_message_size
  sqs_managed_sse_enabled    = var.settings.kms_key == null ? true : null
  kms_master_key_id          = one(var.settings.kms_key[*].arn)
  tags                       = var.settings.tags

  content_based_deduplication = var.fifo ? var.queue.content_based_deduplication : null
  deduplication_scope         = var.fifo && var.queue.high_throughput ? "messageGroup" : null
  fifo_throughput_limit       = var.fifo && var.queue.high_throughput ? "perMessageGroupId" : null

  policy = local.queue_policy

  redrive_policy = jsonencode({
    deadLetterTargetArn = local.dlq.arn
    maxReceiveCount     = var.failure.max_receive_count
  })

  lifecycle {
    create_before_destroy = true

    # A message whose function dies on each receive: SQS must move it before it deletes it, 14 days after it was sent.
    precondition {
      condition     = local.visibility_timeout_seconds <= 1166400 / var.failure.max_receive_count
      error_message = "failure.max_receive_count (${var.failure.max_receive_count}) x queue.visibility_timeout_seconds (${local.visibility_timeout_seconds}) must not be above 1166400: SQS deletes a message after 14 days, also one that crashes its function again and again."
    }

    precondition {
      condition     = var.existing_dlq == null ? true : endswith(var.existing_dlq.arn, ".fifo") == var.fifo
      error_message = "existing_dlq must be FIFO if the queue ${local.queue_name} is, and a standard queue if not: SQS takes no other."
    }

    precondition {
      condition     = alltrue([for part in values(local.queue_policy_sizes) : part.size <= part.most])
      error_message = "The policy of the queue ${local.queue_name} would have ${join(", ", [for name, part in local.queue_policy_sizes : "${part.size} ${name}" if part.size > part.most])}; SQS takes 8192 bytes, 20 statements, 10 conditions and 50 principals. Name organisations or accounts in senders instead of roles, and several in one."
    }
  }
}

# The address before there could be a dead-letter queue of the user's.
moved {
  from = aws_sqs_queue.dlq
  to   = aws_sqs_queue.dlq[0]
}
