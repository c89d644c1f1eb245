# Made of names alone, and never of what is encrypted: a key in the same root may have these statements in its policy.

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  dns_suffix = data.aws_partition.current.dns_suffix

  use_key = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]

  # Nobody but the service itself can act as it; the queue, bus or topic says which of its resources may.
  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
  # https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
  principals = {
    events     = ["events.amazonaws.com"]
    sns        = ["sns.amazonaws.com"]
    cloudwatch = ["cloudwatch.amazonaws.com"]
    states     = ["delivery.logs.amazonaws.com", "states.amazonaws.com"]
  }

  service_statements = [for service, principals in local.principals : {
    Effect    = "Allow"
    Principal = { Service = principals }
    Action    = local.use_key
    Resource  = "*"
  } if contains(var.services, service)]

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
  log_statements = contains(var.services, "logs") ? [{
    Effect    = "Allow"
    Principal = { Service = ["logs.${data.aws_region.current.id}.${local.dns_suffix}"] }
    Action    = ["kms:Decrypt", "kms:Describe*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    Resource  = "*"
    Condition = {
      ArnLike = {
        "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${data.aws_region.current.id}:*:log-group:/aws/*/${var.name}*"
      }
    }
  }] : []

  # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
  sender_statements = [for sender in values(var.senders) : merge(
    {
      Effect = "Allow"
      Principal = {
        AWS = length(sender.account_ids) + length(sender.role_arns) == 0 ? ["*"] : concat(
          [for account in sender.account_ids : "arn:${local.partition}:iam::${account}:root"],
          sender.role_arns,
        )
      }
      Action   = local.use_key
      Resource = "*"
    },
    {
      Condition = merge(
        { StringLike = { "kms:ViaService" = ["sns.*.${local.dns_suffix}", "sqs.*.${local.dns_suffix}"] } },
        sender.organization_id == null ? {} : { StringEquals = { "aws:PrincipalOrgID" = sender.organization_id } },
      )
    },
  )]
}
