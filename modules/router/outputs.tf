output "dead_letter_queues" {
  description = <<-EOT
    The hops' dead-letter queues, by hop, as `dlq-review` takes them. `redrive_target` says where a consumer's dead letter goes to be tried again;
    one that EventBridge sent (it has a `RULE_ARN`) always goes back by the bus, for this hop alone.
  EOT
  value = merge(
    { for key, transform in local.queued_transforms : "transform/${key}" => {
      queue_arn        = module.transform[key].dlq_arn
      queue_url        = module.transform[key].dlq_url
      hop              = "transform/${key}"
      destination      = "transform/${key}"
      source_queue_arn = module.transform[key].queue_arn
      source_queue_url = module.transform[key].queue_url
      function_arn     = null
      consumer_arn     = module.transform[key].function_arn
      redrive_target       = "queue"
      redrive          = transform.redrive
    } },
    { for key, route in local.queued_routes : "route/${key}" => {
      queue_arn        = module.route[key].dlq_arn
      queue_url        = module.route[key].dlq_url
      hop              = "route/${key}"
      destination      = local.destinations[key]
      source_queue_arn = module.route[key].queue_arn
      source_queue_url = module.route[key].queue_url
      function_arn     = null
      consumer_arn     = module.route[key].function_arn
      redrive_target       = "queue"
      redrive          = route.redrive
      # Where the destination's breaker is.
      ledger_table_name = aws_dynamodb_table.ledger[0].name
      ledger_table_arn  = aws_dynamodb_table.ledger[0].arn
      ordered           = route.ordering == "strict"
    } },
    # Without a queue everything goes back by the bus, whoever dead-lettered it: rule, function or Lambda.
    { for key, transform in local.direct_transforms : "transform/${key}" => {
      queue_arn        = module.direct[key].dlq_arn
      queue_url        = module.direct[key].dlq_url
      hop              = "transform/${key}"
      destination      = "transform/${key}"
      source_queue_arn = null
      source_queue_url = null
      function_arn     = null
      redrive_target       = "bus"
      redrive          = transform.redrive
    } },
    { for key, route in local.direct_routes : "route/${key}" => {
      queue_arn         = module.direct[key].dlq_arn
      queue_url         = module.direct[key].dlq_url
      hop               = "route/${key}"
      destination       = local.destinations[key]
      source_queue_arn  = null
      source_queue_url  = null
      function_arn      = null
      redrive_target        = "bus"
      redrive           = route.redrive
      ledger_table_name = aws_dynamodb_table.ledger[0].name
      ledger_table_arn  = aws_dynamodb_table.ledger[0].arn
    } },
    { for key, route in local.routes_by_rule : "route/${key}" => {
      queue_arn        = aws_sqs_queue.dlq[key].arn
      queue_url        = aws_sqs_queue.dlq[key].url
      hop              = "route/${key}"
      destination      = local.destinations[key]
      source_queue_arn = null
      source_queue_url = null
      function_arn     = null
      redrive_target       = "bus"
      redrive          = route.redrive
    } },
  )
}

output "sqs_target_policies" {
  description = "For each route whose rule sends to a queue of yours, by key: the policy that its queue needs, as JSON text, for `aws_sqs_queue_policy` or `source_policy_documents`. Routes to the same queue have the same policy."
  value       = { for key in keys(local.routes_to_queue) : key => data.aws_iam_policy_document.target[key].json }
}

output "log_target_policy" {
  description = "What CloudWatch Logs must let the rules of routes with `target.logs` do, as JSON text; null without such routes. The module sets it unless `manage_log_policy = false`."
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

output "ledger_table_name" {
  description = "Name of the ledger table; null where no function delivers."
  value       = one(aws_dynamodb_table.ledger[*].name)
}

output "ledger_table_arn" {
  description = "ARN of the ledger table; null where no function delivers."
  value       = one(aws_dynamodb_table.ledger[*].arn)
}

output "functions" {
  description = "Names of the functions, by hop."
  value = merge(
    { for key, hop in module.transform : "transform/${key}" => hop.function_name },
    { for key, hop in module.route : "route/${key}" => hop.function_name },
    { for key, hop in module.direct : local.hops[key].hop => hop.function_name },
  )
}

output "log_group_names" {
  description = "Names of the functions' log groups, by hop."
  value = merge(
    { for key, hop in module.transform : "transform/${key}" => hop.log_group_name },
    { for key, hop in module.route : "route/${key}" => hop.log_group_name },
    { for key, hop in module.direct : local.hops[key].hop => hop.log_group_name },
  )
}

output "queue_urls" {
  description = "URLs of the hops' queues, by hop; where the rule sends to a queue of yours, that one. Hops without a queue are not there."
  value = merge(
    { for key, hop in module.transform : "transform/${key}" => hop.queue_url },
    { for key, hop in module.route : "route/${key}" => hop.queue_url },
    { for key, route in local.routes_to_queue : "route/${key}" => route.target.sqs.queue_url },
  )
}

output "rule_arns" {
  description = "ARNs of the rules, by hop."
  value       = { for key, hop in local.hops : hop.hop => aws_cloudwatch_event_rule.this[key].arn }
}

output "replay_hops" {
  description = "What `media-events replay` needs to know of the transforms and routes, by hop: the rule's pattern (JSON text), its stage, whether it is enabled, the destination, and the ledger that remembers what was delivered there; null for transforms, and where no function of the module delivers."
  value = { for key, hop in local.hops : hop.hop => {
    pattern           = local.patterns[key]
    stage             = hop.stage
    enabled           = hop.enabled
    destination       = try(local.destinations[key], null)
    ledger_table_name = contains(keys(local.routes_by_function), key) ? aws_dynamodb_table.ledger[0].name : null
  } }
}

output "event_patterns" {
  description = "The rules' patterns as EventBridge has them, by hop, as JSON text."
  value       = { for key, hop in local.hops : hop.hop => local.patterns[key] }
}
