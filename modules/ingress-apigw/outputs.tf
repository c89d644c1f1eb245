locals {
  base_url = var.domain == null ? local.api.endpoint : "https://${var.domain.name}"
}

output "api_endpoint" {
  description = "Base URL of the webhooks: the domain's, if there is one, else the API's own."
  value       = local.base_url
}

output "api_id" {
  description = "Identifier of the API."
  value       = local.api.id
}

output "webhook_urls" {
  description = "The URL to give to each partner, by its name."
  value       = { for partner in keys(var.partners) : partner => "${local.base_url}/webhooks/${partner}" }
}

output "domain_target" {
  description = "Target of the DNS record of `domain`: `name`, and `hosted_zone_id` for an alias. Null without a domain."
  value = var.domain == null ? null : {
    name           = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    hosted_zone_id = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
  }
}

output "invoke_policies" {
  description = "The IAM policy (JSON) that a partner's principals need, by the name of each partner with an authorization of type iam."
  value = {
    for partner, settings in var.partners : partner => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid      = "SendWebhooks"
        Effect   = "Allow"
        Action   = "execute-api:Invoke"
        Resource = "${local.api.execution_arn}/*/POST/webhooks/${partner}" # any stage: there is one
      }]
    }) if try(settings.authorization.type, null) == "iam"
  }
}

output "secret_arns" {
  description = "ARNs of the secrets that verify each partner's calls, by its name."
  value       = local.secret_arns
}

output "secret_names" {
  description = "Names of the secrets that the module made, by the partner's name. Each waits for its value."
  value       = { for partner, secret in aws_secretsmanager_secret.partner : partner => secret.name }
}

output "origin_secret_name" {
  description = "Name of the secret that CloudFront shows, where `behind_cloudfront` is set: it waits for its value. Else null."
  value       = one(aws_secretsmanager_secret.origin[*].name)
}

output "access_log_group_name" {
  description = "Name of the API's access log group; null with `existing_api`."
  value       = local.own_api && var.existing_access_log_group != null ? split(":", var.existing_access_log_group.arn)[6] : one(aws_cloudwatch_log_group.access[*].name)
}

output "bucket" {
  description = "Bucket with the configuration and the bodies too large for the bus: `{ name, arn }`."
  value       = local.bucket
}

################################################################################
# The same in every module
################################################################################

output "role_arns" {
  description = "ARNs of the functions' roles, by hop."
  value       = { (local.hop) = module.function.role_arn }
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."
  value       = { (local.hop) = module.function.policy }
}

output "function_arns" {
  description = "ARNs of the functions, by hop."
  value       = { (local.hop) = module.function.function_arn }
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop."
  value       = { (local.hop) = module.function.log_group_name }
}

output "idempotency_tables" {
  description = "Idempotency stores, `{ name, arn }`, by hop."
  value       = { (local.hop) = { name = aws_dynamodb_table.idempotency.name, arn = aws_dynamodb_table.idempotency.arn } }
}

output "dead_letter_queues" {
  description = "Dead-letter queues, by hop, as `dlq-review` takes them."
  value = {
    (local.hop) = {
      queue_arn         = local.dlq.arn
      queue_url         = local.dlq.url
      hop               = local.hop
      destination       = "bus"
      source_queue_arn  = null
      source_queue_url  = null
      function_arn      = module.function.function_arn
      consumer_arn      = null
      redrive_target    = "bus"
      idempotency_table = null
      ordered           = false
      redrive           = var.failure.redrive
    }
  }
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = { for severity in ["critical", "warning"] : severity => merge(module.function.alarm_names[severity], module.alarms.names[severity]) }
}

module "key_policy" {
  source = "../internal/key-policy"

  name     = var.name
  services = ["logs"]
}

output "key_policy_statements" {
  description = "What the policy of `settings.kms_key` must say for this module, besides the usual statement for the account's root. It is made of names, so a key of the same root can take it."
  value       = module.key_policy.statements
}
