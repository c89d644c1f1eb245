module "ingress" {
  source = "../internal/queue-ingress"

  name     = var.name
  entry    = "sqs"
  bus_arn  = var.bus_arn
  partners = { (var.partner) = { specification = var.specification } }

  fifo                           = var.fifo
  existing_queue                 = var.existing_queue
  allowed_senders                = var.senders
  content_based_deduplication    = var.content_based_deduplication
  high_throughput                = var.high_throughput
  max_receive_count              = var.max_receive_count
  retry                          = var.retry
  visibility_timeout_seconds     = var.visibility_timeout_seconds
  dlq_visibility_timeout_seconds = var.dlq_visibility_timeout_seconds
  redrive                        = var.redrive

  enabled              = var.enabled
  batch_size           = var.batch_size
  batch_window_seconds = var.batch_window_seconds
  maximum_concurrency  = var.maximum_concurrency
  memory_mb            = var.memory_mb
  timeout_seconds      = var.timeout_seconds
  runtime              = var.runtime
  architecture         = var.architecture
  log_level            = var.log_level
  max_entry_bytes      = var.max_entry_bytes

  bucket                   = var.bucket
  ledger_table             = var.ledger_table
  alarm_thresholds         = var.alarm_thresholds
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}

################################################################################
# What the other side needs
################################################################################

locals {
  own_queue = var.existing_queue == null

  sender_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "SendToQueue"
        Effect   = "Allow"
        Action   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
        Resource = module.ingress.queue_arn
      }],
      [for key in var.kms_key_arn[*] : {
        Sid      = "EncryptForQueue"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = key
      }],
    )
  })

  # The account with a condition, rather than the role as the principal: SQS refuses a role that does not exist yet, and
  # Lambda a queue that does not let it in yet.
  role_arn_parts = split(":", module.ingress.role_arn)

  existing_queue_policy = local.own_queue ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Consume"
      Effect    = "Allow"
      Action    = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource  = var.existing_queue.arn
      Principal = { AWS = join(":", concat(slice(local.role_arn_parts, 0, 5), ["root"])) }
      Condition = { ArnEquals = { "aws:PrincipalArn" = module.ingress.role_arn } }
    }]
  })
}
