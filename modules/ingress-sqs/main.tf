module "ingress" {
  source = "../internal/queue-ingress"

  name              = var.name
  ingress           = "sqs"
  bus_arn           = var.bus_arn
  partners          = { (var.partner) = { specification = var.specification } }
  fifo              = var.fifo
  existing_queue    = var.existing_queue
  senders           = var.senders
  max_entry_bytes   = var.max_entry_bytes
  idempotency_table = var.idempotency_table

  existing_dlq = var.existing_dlq

  settings = var.settings
  function = var.function
  queue    = var.queue
  failure  = var.failure
}

################################################################################
# Policies for the other side
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
        Resource = module.ingress.queue.arn
      }],
      [for key in var.settings.kms_key[*] : {
        Sid      = "EncryptForQueue"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = key.arn
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
