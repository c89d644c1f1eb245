data "aws_partition" "current" {}

locals {
  # Other accounts can't use the key that AWS manages for SNS. Without a key, SNS still encrypts the messages on disk.
  topic_key = var.settings.kms_key != null ? var.settings.kms_key.arn : length(var.senders) == 0 ? "alias/aws/sns" : null
}

resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:Encrypted with aws/sns or with settings.kms_key; without a key only where other accounts send, which can't use aws/sns
  count = local.own_topic ? 1 : 0

  name              = local.topic_name
  display_name      = "Events of ${var.partner}"
  kms_master_key_id = local.topic_key
  tags              = var.settings.tags

  fifo_topic                  = var.fifo ? true : null
  content_based_deduplication = var.fifo ? var.topic_content_based_deduplication : null
  fifo_throughput_scope       = var.fifo && var.queue.high_throughput ? "MessageGroup" : null

  # An empty policy ends an active one; none at all would leave it.
  archive_policy = var.topic_archive_days == null ? null : jsonencode(var.topic_archive_days == 0 ? {} : { MessageRetentionPeriod = tostring(var.topic_archive_days) })
}

locals {
  deny_without_tls = {
    Sid       = "DenyWithoutTls"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sns:Publish"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }

  allow_senders = [for sid, sender in var.senders : merge(
    {
      Sid    = sid
      Effect = "Allow"
      Action = "sns:Publish"
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

  topic_statements = concat([local.deny_without_tls], local.allow_senders)
  topic_name       = var.fifo ? "${var.name}.fifo" : var.name

  # As long as the topic's ARN, which is known too late to measure the policy in the plan.
  measured_arn = "arn:${data.aws_partition.current.partition}:sns:${data.aws_region.current.id}:123456789012:${local.topic_name}"

  # Of the policy, and the most that SNS takes: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
  topic_policy_sizes = {
    bytes = { most = 30720, size = length(jsonencode({
      Version   = "2012-10-17"
      Statement = [for statement in local.topic_statements : merge(statement, { Resource = local.measured_arn })]
    })) }
    statements = { size = length(local.topic_statements), most = 100 }
    principals = { size = 1 + sum(concat([0], [for statement in local.allow_senders : length(statement.Principal.AWS)])), most = 200 }
  }

  sender_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "PublishToTopic"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = local.topic_arn
      }],
      [for key in var.settings.kms_key[*] : {
        Sid      = "EncryptForTopic"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = key.arn
      }],
    )
  })

  # The queue's account subscribes by itself, and this queue alone: then nothing has to be confirmed.
  existing_topic_policy = local.own_topic ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Subscribe"
      Effect    = "Allow"
      Action    = "sns:Subscribe"
      Resource  = var.existing_topic.arn
      Principal = { AWS = join(":", concat(slice(split(":", module.ingress.role_arn), 0, 5), ["root"])) }
      Condition = { StringEquals = { "sns:Protocol" = "sqs", "sns:Endpoint" = module.ingress.queue.arn } }
    }]
  })
}

resource "aws_sns_topic_policy" "this" {
  count = local.own_topic ? 1 : 0

  arn = aws_sns_topic.this[0].arn

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.topic_statements : merge(statement, { Resource = aws_sns_topic.this[0].arn })]
  })

  lifecycle {
    precondition {
      condition     = alltrue([for part in values(local.topic_policy_sizes) : part.size <= part.most])
      error_message = "The policy of the topic ${local.topic_name} would have ${join(", ", [for name, part in local.topic_policy_sizes : "${part.size} ${name}" if part.size > part.most])}; SNS takes 30720 bytes, 100 statements and 200 principals. Name organisations or accounts in senders instead of roles, and several in one."
    }
  }
}
