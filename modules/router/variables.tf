variable "name" {
  description = "Prefix of every resource's name: rules, functions and queues are called `<name>-<key of the transform or route>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$", var.name))
    error_message = "name must be 1 to 48 letters, digits, hyphens or underscores, and begin with a letter or digit."
  }
}

variable "bus_arn" {
  description = "ARN of the event bus that the rules belong to; region, account and partition of the rules are taken from it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:event-bus/.+$", var.bus_arn))
    error_message = "bus_arn must look like arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "manage_log_policy" {
  description = "Whether the module sets the resource policy with which CloudWatch Logs lets the rules of routes with `target.logs` in. An account has ten such policies in a region at most: with false, add the output `log_target_policy` to one of yours."
  type        = bool
  default     = true
  nullable    = false
}

variable "transforms" {
  description = <<-EOT
    Transforms, by key. A transform takes received events that match its pattern, and publishes them with `stage: transformed`.
    Limits and defaults are in `internal/limits/limits.json`. The plan reports all mistakes at once, also misspelt attributes.
      pattern        = EventBridge event pattern as JSON text. The module adds the stage and the redrive condition
      match_all      = must be true for the empty pattern `{}`
      steps          = JSON text, a list of objects with one key each: `map`, `enrich`, `set`, `drop`, `split`, `lookup`, `call` or `python`.
                       The function may use the tables, buckets, secrets, functions and keys that they name
      package        = path of a zip with the modules of `python` steps in a folder `python/`; the module makes a layer of it
      layers         = ARNs of further layers, versions included
      enabled        = false switches the rule off: its events are then not taken, and not kept for later
      invocation     = `queue` (default), or `direct`: the rule invokes the function itself, and `queue` and `failure.retry` have no meaning
      function       = as the variable of that name, for this function alone; so are `queue` and `failure`
      function_retry = with `direct`, how often Lambda itself tries again (`max_attempts`, up to 2) and how long an event may wait for the
                       function (`max_age_seconds`)
      rule_retry     = how long (`max_age_seconds`) and how often (`max_attempts`) EventBridge tries to reach the queue, or the function
      vpc            = as `settings.vpc`, for this function alone
      existing_dlq   = a dead-letter queue of yours (`arn`, `url`, `kms_key`), for this hop alone. It keeps messages for 14 days, has a visibility timeout
                       of six times that of its reader, and a policy with the statements of the output `existing_dlq_policies`
  EOT
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = can(keys(var.transforms))
    error_message = "transforms must be a map of transforms by key."
  }
}

variable "routes" {
  description = <<-EOT
    Routes, by key. A route sends the events that match its pattern to one target, each with its own rule, dead-letter queue and alarms.
    Limits, defaults and the attributes of each target are in `internal/limits/limits.json`.
      pattern, match_all, enabled, invocation, function, queue, failure, function_retry, rule_retry, vpc, existing_dlq = as for transforms
      stage           = `received` or `transformed`. Default: `transformed` where the router has transforms, else `received`
      destination     = whom the event is for; each destination gets an event once, by whatever routes. Default: the key
      target          = exactly one of the following
      http            = a function posts the event to `url`. `mode`: CloudEvents `structured` or `binary`, or `data` alone. `headers`: constant
                        ones. `auth`: `{type, secret_arn}` with type `basic` or `standard-webhooks`, `api-key` (with `header`) or
                        `oauth2-client-credentials` (with `token_url`, `scope`, `audience`, `client_authentication`), and `kms_key` if the
                        secret has a key of its own. `tls`: `{ca_secret_arn, client_certificate_secret_arn, kms_key}`. `allowed_private_cidrs`: private networks that the URLs may resolve to. `allow_http`,
                        `timeout_seconds`
      sqs             = `queue_arn` and `queue_url` of a queue. Without `mode` the rule sends straight to it: `message_group_id` for a FIFO
                        queue, `input_transformer` (`{paths, template}`). The queue's policy must let the rule in: attach the output
                        `sqs_target_policies`, or set `manage_queue_policy = true` if it has no other. With `mode` (`structured`, `envelope` or
                        `data`) a function sends, each event in the group of its `partitionkey`; `kms_key` if the queue has one
      sns             = a function publishes to `topic_arn`; `mode` and `kms_key` as for queues
      event_bus       = a function puts the event on another bus, `bus_arn`, whose policy must let its role in
      lambda          = a function invokes `function_arn` with the event (`mode`) and waits up to `timeout_seconds`
                        (`invocation = "request-response"`), or leaves it to Lambda's own queue (`event`)
      firehose        = a function writes one line of JSON for each event to `stream_arn`
      step_functions  = a function starts `state_machine_arn`
      task_callback   = a function lets the executions go on, or fail, that wait for the event: `task_callbacks_table` (the output of
                        `task-callbacks`), `correlation_key`, `success_when`, `failure_when` (JMESPath), `error`, `early_seconds`, `kms_key`
      api_destination = the rule itself calls `url` with `method`, at most `rate_limit_per_second` times a second, with `auth` (as for `http`,
                        and `secret_version_id`) or a `connection` of yours (`{arn}`), and a `role` of yours (`{arn}`). `headers`, `query` and `path_values` take texts or paths
                        such as `$.detail.metadata.id`; `input_transformer`. Routes with the same `destination` share one
      logs            = the rule itself writes to a log group, `log_group` (`{arn}`) or `/aws/events/<name>-<destination>`; `input_transformer`
      ordering        = `latest` doesn't send an event that is older than what was delivered for its `partitionkey`; `strict` delivers the
                        events of a `partitionkey` one after the other, in their order; `none` is the default
      strict          = with `ordering = "strict"`: `reorder_seconds`, `on_failure` (`block` or `park`), `hold_seconds`
      circuit_breaker = after `failures` in a row deliveries pause for `delay_seconds`, doubling up to `max_delay_seconds`; an event waits up to
                        `hold_seconds`. `enabled = false` switches it off
  EOT
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = can(keys(var.routes))
    error_message = "routes must be a map of routes by key."
  }
}

variable "retired" {
  description = <<-EOT
    Transforms and routes as they were, by key. They get no new events; their queues, functions, redrives and review go on until you take them out here:
    do that when their queues are empty. Before you remove a transform or route, or make it another kind under the same key, put it here as well.
      transforms, routes = as the variables of these names. Where the same key is used above, the rule serves that one, and what only the
                           retired one needs is kept besides: its queue, or the function of a route whose rule now sends by itself
  EOT
  type = object({
    transforms = optional(any, {})
    routes     = optional(any, {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(keys(var.retired.transforms)) && can(keys(var.retired.routes))
    error_message = "retired.transforms and retired.routes must be maps by key."
  }

  validation {
    condition = length(setintersection(
      concat(try(keys(var.retired.transforms), []), try(keys(var.transforms), [])),
      concat(try(keys(var.retired.routes), []), try(keys(var.routes), [])),
    )) == 0
    error_message = "A transform and a route can't share a key, because keys name queues and functions, retired ones included. Give the new one another key."
  }
}

################################################################################
# Alarms
################################################################################

variable "watch_rules" {
  description = "Whether each rule has an alarm: false where `bus-custom` made the bus, which watches all rules of it."
  type        = bool
  default     = true
  nullable    = false
}

variable "circuit_breaker_alarm_seconds" {
  description = "How long a circuit breaker may be open, and events wait for it, before an alarm goes off."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.circuit_breaker_alarm_seconds >= 1
    error_message = "circuit_breaker_alarm_seconds must be 1 or more."
  }
}
