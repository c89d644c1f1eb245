################################################################################
# The same in every module
################################################################################

locals {
  # The functions, by the key of their hop.
  hop_functions = { for key in keys(local.functions) : key => module.hop[key] }

  idempotency_table = one([for table in aws_dynamodb_table.idempotency : { name = table.name, arn = table.arn }])

  # Behind the queues that rules send to. Without one everything goes back by the bus, whoever dead-lettered it: rule, function or Lambda.
  redriven_to_queue = [for key, hop in local.queued : key if hop.invocation == "queue" && !contains(local.by_rule_keys, key)]

  redrives  = { for key, hop in merge(local.transforms, local.routes) : key => hop.failure.redrive }
  orderings = merge({ for key in keys(local.hops) : key => null }, { for key, route in local.routes_by_function : key => route.ordering })
}

output "role_arns" {
  description = "ARNs of the functions' roles, by hop."
  value       = { for key, hop in local.hop_functions : local.hops[key].hop => hop.role_arn }
}

output "role_policies" {
  description = "Policies (JSON) of these roles, by hop: for a role of yours (`function.role`, `target.api_destination.role`) to have."
  value = merge(
    { for key, hop in local.hop_functions : local.hops[key].hop => hop.policy },
    { for key, policy in local.rule_policies : local.hops[key].hop => policy },
  )
}

output "existing_dlq_policies" {
  description = "Statements that the policy of each `existing_dlq` needs, as JSON text, by hop."
  value       = { for key, hop in local.hops : hop.hop => module.hop[key].existing_dlq_policy if module.hop[key].existing_dlq_policy != null }
}

output "function_arns" {
  description = "ARNs of the functions, by hop."
  value       = { for key, hop in local.hop_functions : local.hops[key].hop => hop.function_arn }
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop."
  value       = { for key, hop in local.hop_functions : local.hops[key].hop => hop.log_group_name }
}

output "idempotency_tables" {
  description = "Idempotency stores, `{ name, arn }`, by hop: one for all functions."
  value       = { for key in keys(local.functions) : local.hops[key].hop => local.idempotency_table }
}

output "alarm_names" {
  description = "Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."
  value       = { for severity in ["critical", "warning"] : severity => merge(module.alarms.names[severity], values(module.hop)[*].alarm_names[severity]...) }
}

output "dead_letter_queues" {
  description = <<-EOT
    Dead-letter queues, by hop, as `dlq-review` takes them. `redrive_target` says where a consumer's dead letter goes to be tried again; one that
    EventBridge sent (it has a `RULE_ARN`) always goes back by the bus, for this hop alone.
  EOT
  value = { for key, hop in module.hop : local.hops[key].hop => {
    hop              = local.hops[key].hop
    destination      = try(local.destinations[key], local.hops[key].hop)
    queue_arn        = hop.dlq_arn
    queue_url        = hop.dlq_url
    source_queue_arn = hop.queue_arn
    source_queue_url = hop.queue_url
    function_arn     = null
    consumer_arn     = contains(local.redriven_to_queue, key) ? hop.function_arn : null
    redrive_target   = contains(local.redriven_to_queue, key) ? "queue" : "bus"
    rule_arn         = local.rule_arns[key]
    redrive          = local.redrives[key]
    # Where decisions about the hop's events are, the destination's circuit breaker, and what is parked or was before the rule sent by itself.
    idempotency_table = local.idempotency_table
    ordered           = local.orderings[key] == "strict"
  } }
}

################################################################################
# Rules and their targets
################################################################################

output "sqs_target_policies" {
  description = "For each route whose rule sends to a queue of yours, by key: the policy that its queue needs, as JSON text, for `aws_sqs_queue_policy` or `source_policy_documents`. Routes to the same queue have the same policy."
  value       = { for key in keys(local.routes_to_queue) : key => data.aws_iam_policy_document.target[key].json }
}

output "log_target_policy" {
  description = "Resource policy by which CloudWatch Logs lets the rules of routes with `target.logs` write, as JSON text; null without such routes. The module sets it unless `manage_log_policy = false`."
  value       = one(data.aws_iam_policy_document.logs[*].json)
}

output "log_target_names" {
  description = "For each route with `target.logs`, by key: the name of its log group."
  value       = local.log_group_names
}

output "api_destination_arns" {
  description = "ARNs of the API destinations that the module made, by destination."
  value       = { for destination, made in aws_cloudwatch_event_api_destination.this : destination => made.arn }
}

output "queue_urls" {
  description = "URLs of the hops' queues, by hop; where the rule sends to a queue of yours, that one. Hops without a queue are not there."
  value = merge(
    { for key in keys(local.queued) : local.hops[key].hop => module.hop[key].queue_url },
    { for key, route in local.routes_to_queue : local.hops[key].hop => route.target.sqs.queue_url },
  )
}

output "rule_arns" {
  description = "ARNs of the rules, by hop."
  value       = { for key, hop in local.hops : hop.hop => aws_cloudwatch_event_rule.this[key].arn }
}

output "event_patterns" {
  description = "The rules' patterns as EventBridge has them, by hop, as JSON text."
  value       = { for key, hop in local.hops : hop.hop => local.patterns[key] }
}

output "archive_replay_hops" {
  description = "Transforms and routes for `media-events archive-replay`, by hop: the rule's pattern (JSON text), its stage, whether it is enabled, the destination, and the idempotency store of its deliveries; null for transforms, and where no function of the module delivers."
  value = { for key, hop in local.hops : hop.hop => {
    pattern           = local.patterns[key]
    stage             = hop.stage
    enabled           = hop.enabled && !contains(local.retired_keys, key)
    destination       = try(local.destinations[key], null)
    idempotency_table = contains(local.route_keys, key) && !contains(local.by_rule_keys, key) ? local.idempotency_table : null
  } }
}

module "key_policy" {
  source = "../internal/key-policy"

  name     = var.name
  services = ["events", "logs"]
}

output "key_policy_statements" {
  description = "What the policy of `settings.kms_key` must say for this module, besides the usual statement for the account's root. It is made of names, so a key of the same root can take it."
  value       = module.key_policy.statements
}
