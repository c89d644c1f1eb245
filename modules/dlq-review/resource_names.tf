################################################################################
# What policies name: ARNs one by one, or by the beginning of the deployment's names
################################################################################

locals {
  queue_names    = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:"
  function_names = "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:"
  table_names    = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/"
  log_names      = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/aws/lambda/"
  machine_names  = "arn:${local.partition}:states:${local.region}:${local.account_id}:stateMachine:"

  # A list takes some 220 characters a hop, and IAM 10,240 for a role's inline policies, 6,144 for a managed policy. With name_prefix an ARN that
  # is `own`, <begin>…<end>, is named by that pattern with all others of its kind; what has another name stays one by one. An end has no hyphen in
  # front, since that may be the prefix's own: media-dev-idempotency.
  named = {
    dead_letter_queues = {
      arns = values(var.dead_letter_queues)[*].queue_arn
      own  = [for end in ["dlq", "dlq.fifo"] : { begin = local.queue_names, end = end }]
    }
    source_queues = {
      arns = [for queue in values(var.dead_letter_queues) : queue.source_queue_arn if queue.redrive_target == "queue"]
      own  = [{ begin = local.queue_names, end = "" }]
    }
    functions = {
      arns = distinct(compact(flatten([for queue in values(var.dead_letter_queues) : [queue.function_arn, queue.consumer_arn]])))
      own  = [{ begin = local.function_names, end = "" }]
    }
    # The hops' queues as far as they are known here: somebody else's queue, or a rule's own target, is not.
    hop_queues = {
      arns = distinct(concat(values(var.dead_letter_queues)[*].queue_arn, compact(values(var.dead_letter_queues)[*].source_queue_arn)))
      own  = [{ begin = local.queue_names, end = "" }]
    }
    idempotency_tables = {
      arns = distinct(concat(local.circuit_breaker_tables, values(var.idempotency_tables)[*].arn))
      own  = [{ begin = local.table_names, end = "idempotency" }]
    }
    log_groups = {
      arns = [for name in sort(distinct(concat(compact(values(var.log_group_names)), [module.function.log_group_name]))) :
      "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${name}"]
      own = [{ begin = local.log_names, end = "" }]
    }
    state_machines = {
      arns = values(var.state_machine_arns)
      own  = [{ begin = local.machine_names, end = "" }]
    }
  }

  # The longest beginning with a separator that all dead-letter queues' names have: they are the deployment's own. It is told where a policy
  # gets too long, not taken by itself: only its user knows that no other deployment's names begin so.
  dlq_names = [for queue in values(var.dead_letter_queues) : element(split(":", queue.queue_arn), 5)]
  common_prefix = try(reverse([for size in range(2, length(local.dlq_names[0])) : substr(local.dlq_names[0], 0, size)
    if can(regex("[_-]$", substr(local.dlq_names[0], 0, size))) && alltrue([for name in local.dlq_names : startswith(name, substr(local.dlq_names[0], 0, size))])
  ])[0], null)

  remedy = (
    var.name_prefix != null ? "Give what name_prefix = \"${coalesce(var.name_prefix, "-")}\" does not match names that begin with it" :
    local.common_prefix != null ? "Set name_prefix = \"${coalesce(local.common_prefix, "-")}\", unless names of another deployment in the account and region begin so" :
    "Give the dead-letter queues of this deployment names with a common beginning, such as media-prod-, and set name_prefix to it"
  )

  resources = { for kind, list in local.named : kind => concat(
    [for arn in list.arns : arn if !anytrue(flatten([for prefix in var.name_prefix[*] : [
      for own in list.own : startswith(arn, "${own.begin}${prefix}") && endswith(arn, own.end)
    ]]))],
    flatten([for prefix in var.name_prefix[*] : [
      for own in list.own : "${own.begin}${prefix}*${own.end}"
      if anytrue([for arn in list.arns : startswith(arn, "${own.begin}${prefix}") && endswith(arn, own.end)])
    ]]),
  ) }
}
