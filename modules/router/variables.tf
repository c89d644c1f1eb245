################################################################################
# Common
################################################################################

variable "name" {
  description = "Prefix of every resource's name: rules, functions and queues are called `<name>-<key of the transform or route>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$", var.name))
    error_message = "name must be 1 to 48 letters, digits, hyphens or underscores, and begin with a letter or digit."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "kms_key_arn" {
  description = <<-EOT
    ARN of the customer managed key for queues, table, logs and configuration; null means keys that AWS owns. Its policy must let
    `events.amazonaws.com` use `kms:GenerateDataKey` and `kms:Decrypt`, or rules can't reach the queues.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:<region>:<account>:key/<id>): an alias can't stand in an IAM policy, and EventBridge can't use the keys that AWS manages."
  }
}

variable "lambda_package" {
  description = "The functions' code: a zip on disk or in S3. Null means the zip that comes with the module in `lambda_src/dist`."
  type = object({
    filename          = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
    source_code_hash  = optional(string)
  })
  default = null
}

variable "log_retention_days" {
  description = "How long the functions' logs are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "alarm_actions" {
  description = "ARNs that alarms notify, SNS topics as a rule."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of every role."
  type        = string
  default     = null
}

variable "bucket" {
  description = "The kit's bucket (`storage-bucket`), which holds the functions' configuration and events' bodies too large for the bus: the same as the ingress modules', or transforms can't read those bodies. Null: the module makes one of its own."
  type = object({
    name = string
    arn  = string
  })
  default = null
}

################################################################################
# Bus
################################################################################

variable "bus_name" {
  description = "Name of the event bus that the rules belong to."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[/.A-Za-z0-9_-]{1,256}$", var.bus_name))
    error_message = "bus_name must be the name of an event bus, not its ARN."
  }
}

variable "bus_arn" {
  description = "ARN of that event bus; region, account and partition of the rules are taken from it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:event-bus/.+$", var.bus_arn))
    error_message = "bus_arn must look like arn:aws:events:<region>:<account>:event-bus/<name>."
  }

  validation {
    condition     = endswith(var.bus_arn, ":event-bus/${var.bus_name}")
    error_message = "bus_arn and bus_name must name the same event bus."
  }
}

variable "manage_log_policy" {
  description = "Whether the module sets the resource policy with which CloudWatch Logs lets the rules of routes with `target.logs` in. An account has ten such policies in a region at most: with false, add the output `log_target_policy` to one of yours."
  type        = bool
  default     = true
  nullable    = false
}

################################################################################
# Transforms
################################################################################

variable "transforms" {
  description = <<-EOT
    Transforms, by key. A transform takes the events as received that match its pattern, and publishes them with `stage: transformed`.

    * `pattern`: EventBridge event pattern as JSON text. The module adds the stage and the re-drive condition.
    * `match_all`: must be true for the empty pattern `{}`.
    * `steps`: JSON text, a list of objects with one key each: `map`, `enrich`, `set`, `drop`, `split`, `lookup`, `call` or `python`
      (docs/transforms.md). What lookups and calls ask for, the function is permitted: tables, buckets, secrets, functions, keys.
    * `package`: path of a zip with the modules of `python` steps in a folder `python/`; the module makes a layer of it.
    * `layers`: ARNs of further layers, versions included.
    * `enabled`: false switches the rule off: its events are then not taken, and not kept for later.
    * `timeout_seconds`, `memory_mb`: of the function.
    * `batch_size`, `batch_window_seconds`, `maximum_concurrency`: of the queue's event source mapping.
    * `max_receive_count`: how often a message is tried before it goes to the dead-letter queue.
    * `retry`: seconds between tries, growing from `base_seconds` up to `max_seconds`.
    * `invocation`: `queue` (default), or `direct`: the rule invokes the function itself. Without a queue `batch_size`, `batch_window_seconds`,
      `max_receive_count` and `retry` have no meaning, and `maximum_concurrency` is reserved for the function.
    * `function_retry`: with `direct`, how often Lambda itself tries again (`max_attempts`, up to 2) and how long an event may wait for the function.
    * `rule_retry`: how long and how often EventBridge tries to reach the queue, or the function.
    * `redrive`: how the review desk's re-drive treats this hop's dead letters.
  EOT
  type = map(object({
    pattern              = string
    match_all            = optional(bool, false)
    steps                = string
    package              = optional(string)
    layers               = optional(list(string), [])
    enabled              = optional(bool, true)
    timeout_seconds      = optional(number, 30)
    memory_mb            = optional(number, 256)
    batch_size           = optional(number, 10)
    batch_window_seconds = optional(number, 0)
    maximum_concurrency  = optional(number)
    max_receive_count    = optional(number, 5)
    retry = optional(object({
      base_seconds = optional(number, 5)
      max_seconds  = optional(number, 900)
    }), {})
    invocation = optional(string, "queue")
    function_retry = optional(object({
      max_attempts    = optional(number, 2)
      max_age_seconds = optional(number, 21600)
    }), {})
    rule_retry = optional(object({
      max_age_seconds = optional(number, 86400)
      max_attempts    = optional(number, 185)
    }), {})
    redrive = optional(object({
      max_count          = optional(number, 3)
      base_delay_seconds = optional(number, 60)
      max_delay_seconds  = optional(number, 3600)
      max_age_seconds    = optional(number, 86400)
      max_per_second     = optional(number, 5)
    }), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.transforms) : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]*$", key))])
    error_message = "Keys of transforms become parts of names: letters, digits, hyphens and underscores, beginning with a letter or digit."
  }

  # 64 is the limit of a rule's and of a function's name; a queue's, 80 with "-dlq", is wider.
  validation {
    condition     = alltrue([for key in keys(var.transforms) : length("${var.name}-${key}") <= 64])
    error_message = "Too long: \"<name>-<key>\" names a rule and a function and may have 64 characters. Shorten ${join(", ", [for key in keys(var.transforms) : key if length("${var.name}-${key}") > 64])}."
  }

  validation {
    condition     = alltrue([for transform in values(var.transforms) : can(keys(jsondecode(transform.pattern)))])
    error_message = "Not a JSON object: the pattern of ${join(", ", [for key, transform in var.transforms : key if !can(keys(jsondecode(transform.pattern)))])}. Write jsonencode({ ... })."
  }

  validation {
    condition = alltrue([
      for transform in values(var.transforms) : transform.match_all || try(length(keys(jsondecode(transform.pattern))), 1) > 0
    ])
    error_message = "An empty pattern matches every event. Where that is meant, set match_all = true."
  }

  validation {
    condition = alltrue([
      for transform in values(var.transforms) : try(length([for step in jsondecode(transform.steps) : step if length(keys(step)) != 1 || !contains(["map", "enrich", "set", "drop", "split", "lookup", "call", "python"], keys(step)[0])]) == 0 && can(tolist([for step in jsondecode(transform.steps) : "step"])) && length(jsondecode(transform.steps)) > 0 && !can(keys(jsondecode(transform.steps))), false)
    ])
    error_message = "steps must be a JSON list that is not empty, of objects with exactly one key each: map, enrich, set, drop, split, lookup, call or python."
  }

  validation {
    condition = alltrue(flatten([
      for transform in values(var.transforms) : [
        for lookup in try([for step in jsondecode(transform.steps) : step.lookup if can(step.lookup)], []) :
        length([for source in ["dynamodb", "http", "s3"] : source if can(lookup[source])]) == 1 && can(lookup.into)
      ]
    ]))
    error_message = "A lookup step has exactly one of dynamodb, http and s3, and into: the path in data where the answer goes."
  }

  validation {
    condition = alltrue(flatten([
      for transform in values(var.transforms) : [
        for step in try([for step in jsondecode(transform.steps) : step], []) : concat(
          [for table in try([step.lookup.dynamodb], []) : can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[A-Za-z0-9_.-]+$", table.table_arn))],
          [for object in try([step.lookup.s3], []) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", object.bucket)) && !can(regex("[*?$]", object.prefix))],
          [for auth in try([step.lookup.http.auth], []) : can(regex("^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$", auth.secret_arn))],
          [for call in try([step.call], []) : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?$", call.function_arn))],
        )
      ]
    ]))
    error_message = "Steps name what they ask for in full, because the function is permitted exactly that: table_arn, function_arn and auth.secret_arn are ARNs, bucket is a bucket's name, prefix has no wildcards."
  }

  validation {
    condition = alltrue(flatten([
      for transform in values(var.transforms) : [
        for step in try([for step in jsondecode(transform.steps) : step], []) : try(max(concat(
          [for source in ["dynamodb", "http", "s3"] : try(step.lookup[source].timeout_seconds, 5) if can(step.lookup[source])],
          [for call in try([step.call], []) : try(call.timeout_seconds, 10)],
          [0],
        )...) + 2 <= transform.timeout_seconds, false)
      ]
    ]))
    error_message = "timeout_seconds of a transform must be at least 2 more than that of any of its steps (5 of a lookup and 10 of a call that say nothing), so that the function outlives what it waits for."
  }

  validation {
    condition = alltrue(flatten([
      for transform in values(var.transforms) : [for layer in transform.layers : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", layer))]
    ]))
    error_message = "layers must be ARNs of layers with their versions, arn:aws:lambda:<region>:<account>:layer:<name>:<version>."
  }

  validation {
    condition     = alltrue([for transform in values(var.transforms) : length(transform.layers) + (transform.package == null ? 0 : 1) <= 5])
    error_message = "A function takes 5 layers; package is one of them."
  }

  validation {
    condition     = alltrue([for transform in values(var.transforms) : contains(["queue", "direct"], transform.invocation)])
    error_message = "invocation must be \"queue\" or \"direct\"."
  }

  validation {
    condition = alltrue([
      for transform in values(var.transforms) :
      contains([0, 1, 2], transform.function_retry.max_attempts)
      && transform.function_retry.max_age_seconds >= 60 && transform.function_retry.max_age_seconds <= 21600
    ])
    error_message = "function_retry: max_attempts must be 0, 1 or 2, max_age_seconds 60 to 21600 (Lambda's limits)."
  }

  validation {
    condition = alltrue([
      for transform in values(var.transforms) :
      transform.rule_retry.max_age_seconds >= 60 && transform.rule_retry.max_age_seconds <= 86400
      && transform.rule_retry.max_attempts >= 0 && transform.rule_retry.max_attempts <= 185
    ])
    error_message = "rule_retry: max_age_seconds must be 60 to 86400, max_attempts 0 to 185 (EventBridge's limits)."
  }

  validation {
    condition = alltrue([
      for transform in values(var.transforms) :
      transform.redrive.max_count >= 0 && transform.redrive.base_delay_seconds >= 0
      && transform.redrive.max_delay_seconds >= transform.redrive.base_delay_seconds
      && transform.redrive.max_delay_seconds <= 39600 && transform.redrive.max_age_seconds >= 0 && transform.redrive.max_per_second > 0
    ])
    error_message = "redrive: counts and seconds must be 0 or more, max_per_second above 0, and max_delay_seconds from base_delay_seconds up to 39600 (a message can be held invisible for 12 hours in all)."
  }
}

################################################################################
# Routes
################################################################################

variable "routes" {
  description = <<-EOT
    Routes, by key. A route sends the events that match its pattern to one target, each with its own rule, dead-letter queue and alarms.

    * `pattern`: EventBridge event pattern as JSON text. The module adds the stage and the re-drive condition.
    * `match_all`: must be true for the empty pattern `{}`.
    * `stage`: `received` or `transformed`. Default: `transformed` where the router has transforms, else `received`.
    * `enabled`: false switches the rule off: its events are then not taken, and not kept for later.
    * `destination`: whom the event is for; each destination gets an event once, by whatever routes. Default: the key.
    * `target`: exactly one of
      * `http`: a function posts the event to `url`.
        `mode`: CloudEvents `structured` or `binary`, or `data` alone. `headers`: constant ones.
        `auth`: `{type = "api-key", header, secret_arn}`, `{type = "basic", secret_arn}`, `{type = "standard-webhooks", secret_arn}` or
        `{type = "oauth2-client-credentials", secret_arn, token_url}` with `scope`, `audience` and `client_authentication` (`basic` or `body`);
        `kms_key_arn` if the secret is encrypted with a customer managed key other than the module's.
        `allowed_private_cidrs`: private networks that the URLs may resolve to. `allow_http`: true allows an unencrypted `http://` URL.
      * `sqs`: a queue of yours. Without `mode` the rule sends straight to it: `message_group_id` for a FIFO queue (a rule can only give a
        constant one), `input_transformer`: `{paths, template}` as EventBridge has it. The queue's policy must let the rule in: attach
        the output `sqs_target_policies`, or set `manage_queue_policy = true` if the queue has no other policy.
        With `mode` (`structured`, `envelope` or `data`) a function sends: a FIFO queue then gets the event's `partitionkey` as message group
        and its identity as deduplication id. `kms_key_arn`: the queue's key, if it has one.
      * `sns`: a function publishes to the topic, FIFO as for queues. `mode` and `kms_key_arn` as for queues.
      * `event_bus`: a function puts the event on another bus, of whatever account and region; the bus's policy must let its role in.
      * `lambda`: a function invokes yours with the event (`mode`: `envelope`, `structured` or `data`) and waits up to `timeout_seconds`
        (`invocation = "request-response"`), or leaves it to Lambda's own queue (`event`).
      * `firehose`: a function writes one line of JSON for each event to the stream, beginning with `partner`, `type` and `day`.
      * `states`: a function starts the state machine.
      * `resume`: a function resumes, or fails, the executions that wait for the event (see `task-callbacks`): `waits_table_name` and
        `waits_table_arn`, `correlation_key`, `success_when` and `failure_when` (JMESPath over
        `metadata` and `data`), `error` (the name that a workflow catches), `early_seconds` (how long an event waits for its waiter).
      * `api_destination`: the rule itself calls `url` through an EventBridge API destination, with `method` (`POST`) and at most
        `rate_limit_per_second` (300) calls. Who we are is either `auth` (the module makes the connection, and CloudFormation reads the secret):
        `{type = "api-key", header, secret_arn}`, `{type = "basic", secret_arn}` (JSON with `username` and `password`) or
        `{type = "oauth2-client-credentials", secret_arn, token_url}` (JSON with `client_id` and `client_secret`) with `scope` and `audience`, each
        with `secret_version_id`, which a changed secret needs; or `connection_arn`, a connection of yours. `headers` and `query` take texts or
        paths such as `$.detail.metadata.id`, `path_values` fills the `*` of the URL, `input_transformer` as for queues.
        Routes with the same `destination` share one API destination, and its limit.
      * `logs`: the rule itself writes to a log group: `log_group_arn`, or one that the module makes, `/aws/events/<name>-<destination>`.
        `input_transformer`: its template must give `{"timestamp": …, "message": …}`.
    * `ordering`: `latest` doesn't send an event that is older than what was delivered for its `partitionkey`; `strict` delivers the
      events of a `partitionkey` one after the other, in their order (docs/destinations.md); default `none`.
    * `strict`: with `ordering = "strict"`, an event waits `reorder_seconds` (5) for earlier ones; behind one that can't be delivered the later ones
      wait in the queue (`on_failure = "block"`, the default) for up to `hold_seconds` (86400), or parked outside it (`"sideline"`).
    * `breaker`: after `failures` (10) in a row deliveries to the destination pause for `delay_seconds` (30), doubling up to `max_delay_seconds` (900);
      an event waits up to `hold_seconds` (86400). `enabled = false` switches it off. Neither has a meaning for a rule's own target.
    * `invocation`, `function_retry`, `timeout_seconds`, `memory_mb`, `batch_size`, `batch_window_seconds`, `maximum_concurrency`,
      `max_receive_count`, `retry`: as for transforms; without meaning where the rule itself sends.
    * `rule_retry`, `redrive`: as for transforms.
  EOT
  type = map(object({
    pattern     = string
    match_all   = optional(bool, false)
    stage       = optional(string)
    enabled     = optional(bool, true)
    destination = optional(string)
    target = object({
      http = optional(object({
        url             = string
        mode            = optional(string, "structured")
        headers         = optional(map(string), {})
        timeout_seconds = optional(number, 10)
        auth = optional(object({
          type                  = string
          header                = optional(string)
          secret_arn            = string
          kms_key_arn           = optional(string)
          token_url             = optional(string)
          scope                 = optional(string)
          audience              = optional(string)
          client_authentication = optional(string)
        }))
        allowed_private_cidrs = optional(list(string), [])
        allow_http            = optional(bool, false)
      }))
      sqs = optional(object({
        queue_arn           = string
        queue_url           = string
        message_group_id    = optional(string)
        manage_queue_policy = optional(bool, false)
        input_transformer = optional(object({
          paths    = optional(map(string), {})
          template = string
        }))
        mode        = optional(string)
        kms_key_arn = optional(string)
      }))
      sns = optional(object({
        topic_arn   = string
        mode        = optional(string, "structured")
        kms_key_arn = optional(string)
      }))
      event_bus = optional(object({
        bus_arn = string
      }))
      lambda = optional(object({
        function_arn    = string
        invocation      = optional(string, "request-response")
        mode            = optional(string, "envelope")
        timeout_seconds = optional(number, 20)
      }))
      firehose = optional(object({
        stream_arn = string
      }))
      states = optional(object({
        state_machine_arn = string
      }))
      resume = optional(object({
        waits_table_name = string
        waits_table_arn  = string
        correlation_key  = string
        success_when     = optional(string)
        failure_when     = optional(string)
        error            = optional(string)
        early_seconds    = optional(number)
        kms_key_arn      = optional(string)
      }))
      api_destination = optional(object({
        url                   = string
        method                = optional(string, "POST")
        rate_limit_per_second = optional(number, 300)
        connection_arn        = optional(string)
        auth = optional(object({
          type              = string
          header            = optional(string)
          secret_arn        = string
          secret_version_id = optional(string)
          token_url         = optional(string)
          scope             = optional(string)
          audience          = optional(string)
        }))
        headers     = optional(map(string), {})
        query       = optional(map(string), {})
        path_values = optional(list(string), [])
        input_transformer = optional(object({
          paths    = optional(map(string), {})
          template = string
        }))
        allow_http = optional(bool, false)
      }))
      logs = optional(object({
        log_group_arn = optional(string)
        input_transformer = optional(object({
          paths    = optional(map(string), {})
          template = string
        }))
      }))
    })
    ordering = optional(string)
    strict = optional(object({
      reorder_seconds = optional(number)
      on_failure      = optional(string)
      hold_seconds    = optional(number)
    }))
    breaker = optional(object({
      enabled           = optional(bool)
      failures          = optional(number)
      delay_seconds     = optional(number)
      max_delay_seconds = optional(number)
      hold_seconds      = optional(number)
    }))
    timeout_seconds      = optional(number, 30)
    memory_mb            = optional(number, 256)
    batch_size           = optional(number, 10)
    batch_window_seconds = optional(number, 0)
    maximum_concurrency  = optional(number)
    max_receive_count    = optional(number, 5)
    retry = optional(object({
      base_seconds = optional(number, 5)
      max_seconds  = optional(number, 900)
    }), {})
    invocation = optional(string, "queue")
    function_retry = optional(object({
      max_attempts    = optional(number, 2)
      max_age_seconds = optional(number, 21600)
    }), {})
    rule_retry = optional(object({
      max_age_seconds = optional(number, 86400)
      max_attempts    = optional(number, 185)
    }), {})
    redrive = optional(object({
      max_count          = optional(number, 3)
      base_delay_seconds = optional(number, 60)
      max_delay_seconds  = optional(number, 3600)
      max_age_seconds    = optional(number, 86400)
      max_per_second     = optional(number, 5)
    }), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.routes) : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]*$", key))])
    error_message = "Keys of routes become parts of names: letters, digits, hyphens and underscores, beginning with a letter or digit."
  }

  validation {
    condition     = length(setintersection(keys(var.routes), keys(var.transforms))) == 0
    error_message = "A transform and a route can't share a key, because keys name queues and functions: ${join(", ", setintersection(keys(var.routes), keys(var.transforms)))}."
  }

  validation {
    condition = length(setintersection(
      concat(keys(var.routes), keys(var.transforms)), [for key in concat(keys(var.routes), keys(var.transforms)) : "${key}-dlq"],
    )) == 0
    error_message = "A dead-letter queue is called <name>-<key>-dlq, so that no other key may be ${join(" or ", setintersection(
      concat(keys(var.routes), keys(var.transforms)), [for key in concat(keys(var.routes), keys(var.transforms)) : "${key}-dlq"],
    ))}."
  }

  validation {
    condition     = alltrue([for key in keys(var.routes) : length("${var.name}-${key}") <= 64])
    error_message = "Too long: \"<name>-<key>\" names a rule and a function and may have 64 characters. Shorten ${join(", ", [for key in keys(var.routes) : key if length("${var.name}-${key}") > 64])}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : can(keys(jsondecode(route.pattern)))])
    error_message = "Not a JSON object: the pattern of ${join(", ", [for key, route in var.routes : key if !can(keys(jsondecode(route.pattern)))])}. Write jsonencode({ ... })."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.match_all || try(length(keys(jsondecode(route.pattern))), 1) > 0
    ])
    error_message = "An empty pattern matches every event. Where that is meant, set match_all = true."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : contains(["received", "transformed"], coalesce(route.stage, "received"))])
    error_message = "stage must be \"received\" or \"transformed\"."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.destination == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", route.destination))])
    error_message = "destination must be 1 to 64 letters, digits, dots, hyphens or underscores, and begin with a letter or digit."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : length([for target in values(route.target) : true if target != null]) == 1])
    error_message = "A route has exactly one target: http, sqs, sns, event_bus, lambda, firehose, states, resume, api_destination or logs. Several targets for the same events are several routes with the same pattern."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.http == null ? true : (
        can(regex("^https://[^/?#@\\s]+", route.target.http.url)) || (route.target.http.allow_http && can(regex("^http://[^/?#@\\s]+", route.target.http.url)))
      ) && !can(regex("^[a-z]+://[^/?#]*@", route.target.http.url))
    ])
    error_message = "url must be an https:// URL without credentials in it (they belong into a secret, see auth). An http:// URL needs allow_http = true."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.http == null ? true : contains(["structured", "binary", "data"], route.target.http.mode)
    ])
    error_message = "mode must be \"structured\", \"binary\" or \"data\"."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.http == null ? true : (
        route.target.http.timeout_seconds >= 1 && route.target.http.timeout_seconds < route.timeout_seconds
      )
    ])
    error_message = "target.http.timeout_seconds must be 1 or more and below the route's timeout_seconds, so that the function outlives the call that it makes."
  }

  validation {
    condition = alltrue(flatten([
      for route in values(var.routes) : [
        for name, value in try(route.target.http.headers, {}) : can(regex("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$", name)) && can(regex("^[\\x20-\\x7e]*$", value))
      ] if route.target.http != null
    ]))
    error_message = "headers: a name has letters, digits and !#$%&'*+.^_`|~- only, a value printable ASCII."
  }

  validation {
    condition = alltrue(flatten([
      for route in values(var.routes) : [
        for name in keys(try(route.target.http.headers, {})) : !contains(["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"], lower(name))
      ] if route.target.http != null
    ]))
    error_message = "headers: a credential as a constant would end in the state and in the bucket. Put it into a secret and name that in auth."
  }

  validation {
    condition = alltrue(flatten([
      for route in values(var.routes) : [
        for name in keys(try(route.target.http.headers, {})) : !can(regex("^(host|date|connection|expect|content-(type|length|encoding)|transfer-encoding|idempotency-key|user-agent|(ce|webhook|x-amzn?|x-forwarded)-.*)$", lower(name)))
      ] if route.target.http != null
    ]))
    error_message = "headers: host, date, user-agent, idempotency-key, content-*, ce-*, webhook-*, x-amz-* and x-forwarded-* are set by the delivery itself, or trusted by proxies."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : try(route.target.http.auth, null) == null ? true : (
        contains(["api-key", "basic", "standard-webhooks", "oauth2-client-credentials"], route.target.http.auth.type)
        && (route.target.http.auth.type == "api-key") == (route.target.http.auth.header != null)
      )
    ])
    error_message = "auth.type must be \"api-key\" (with header), \"basic\", \"standard-webhooks\" or \"oauth2-client-credentials\" (without)."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : try(route.target.http.auth, null) == null ? true : (
        route.target.http.auth.type == "oauth2-client-credentials"
        ? can(regex("^https?://[^/?#@\\s]+", route.target.http.auth.token_url)) && contains(["basic", "body"], coalesce(route.target.http.auth.client_authentication, "basic"))
        : alltrue([for name in ["token_url", "scope", "audience", "client_authentication"] : route.target.http.auth[name] == null])
      )
    ])
    error_message = "auth: \"oauth2-client-credentials\" needs token_url, and its client_authentication is \"basic\" or \"body\"; no other type has token_url, scope, audience or client_authentication."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : try(route.target.http.auth, null) == null ? true : can(regex("^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$", route.target.http.auth.secret_arn))
    ])
    error_message = "auth.secret_arn must be the ARN of a Secrets Manager secret. A secret's value never belongs into Terraform."
  }

  validation {
    condition = alltrue(flatten([
      for route in values(var.routes) : [for cidr in try(route.target.http.allowed_private_cidrs, []) : can(cidrhost(cidr, 0))] if route.target.http != null
    ]))
    error_message = "allowed_private_cidrs must be networks such as \"10.20.0.0/16\"."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.sqs == null ? true : can(regex("^arn:[^:]+:sqs:[^:]+:[0-9]{12}:.+$", route.target.sqs.queue_arn))])
    error_message = "target.sqs.queue_arn must be the ARN of a queue."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.sqs == null ? true : (
        route.target.sqs.mode != null
        ? route.target.sqs.message_group_id == null && route.target.sqs.input_transformer == null && !route.target.sqs.manage_queue_policy
        : endswith(route.target.sqs.queue_arn, ".fifo") == (route.target.sqs.message_group_id != null)
      )
    ])
    error_message = "A FIFO queue needs either message_group_id (the rule sends, all messages in one group) or mode (a function sends, each event in the group of its partitionkey); a standard queue has no message_group_id. With mode there is no input_transformer and no manage_queue_policy."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : alltrue([
        for mode in [try(route.target.sqs.mode, null), try(route.target.sns.mode, null), try(route.target.lambda.mode, null)] :
        contains(["structured", "envelope", "data"], coalesce(mode, "data"))
      ])
    ])
    error_message = "mode of sqs, sns and lambda must be \"structured\", \"envelope\" or \"data\"."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.sns == null ? true : can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[^:]+$", route.target.sns.topic_arn))])
    error_message = "target.sns.topic_arn must be the ARN of a topic."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.event_bus == null ? true : can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:event-bus/.+$", route.target.event_bus.bus_arn)) && route.target.event_bus.bus_arn != var.bus_arn])
    error_message = "target.event_bus.bus_arn must be the ARN of an event bus, and another one than the router's own."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.lambda == null ? true : (
        can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:.+$", route.target.lambda.function_arn))
        && contains(["request-response", "event"], route.target.lambda.invocation)
      )
    ])
    error_message = "target.lambda.function_arn must be the ARN of a function, and invocation \"request-response\" or \"event\"."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.lambda == null ? true : (
        route.target.lambda.timeout_seconds >= 1 && route.target.lambda.timeout_seconds + 5 <= route.timeout_seconds
      )
    ])
    error_message = "target.lambda.timeout_seconds must be 1 or more, and the route's timeout_seconds at least 5 more, so that the function outlives the one that it waits for."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.firehose == null ? true : can(regex("^arn:[^:]+:firehose:[^:]+:[0-9]{12}:deliverystream/.+$", route.target.firehose.stream_arn))])
    error_message = "target.firehose.stream_arn must be the ARN of a Firehose stream."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.resume == null ? true : length(trimspace(route.target.resume.correlation_key)) > 0
    ])
    error_message = "target.resume needs correlation_key, a JMESPath expression over metadata and data."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.api_destination == null ? true : (
        can(regex(route.target.api_destination.allow_http ? "^https?://[^/?#@\\s]+" : "^https://[^/?#@\\s]+", route.target.api_destination.url))
        && !can(regex("^[a-z]+://[^/?#]*@", route.target.api_destination.url)) && length(route.target.api_destination.url) <= 2048
      )
    ])
    error_message = "target.api_destination.url must be an https:// URL of up to 2048 characters without credentials in it (they belong into a secret, see auth). EventBridge takes no others; allow_http is for a local cloud."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.api_destination == null ? true : (
        contains(["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS"], route.target.api_destination.method)
        && route.target.api_destination.rate_limit_per_second >= 1 && route.target.api_destination.rate_limit_per_second <= 300
        && floor(route.target.api_destination.rate_limit_per_second) == route.target.api_destination.rate_limit_per_second
      )
    ])
    error_message = "target.api_destination: method must be POST, PUT, PATCH, GET, DELETE, HEAD or OPTIONS, rate_limit_per_second a whole number from 1 to 300."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.api_destination == null ? true : (
        (route.target.api_destination.auth != null) != (route.target.api_destination.connection_arn != null)
        && can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:connection/.+$", coalesce(route.target.api_destination.connection_arn, "arn:aws:events:x:000000000000:connection/x")))
      )
    ])
    error_message = "target.api_destination needs either auth, from which the module makes a connection, or connection_arn, the ARN of one of yours: EventBridge calls nobody without one."
  }

  validation {
    condition = alltrue([
      for auth in [for route in values(var.routes) : try(route.target.api_destination.auth, null)] : auth == null ? true : (
        contains(["api-key", "basic", "oauth2-client-credentials"], auth.type)
        && (auth.type == "api-key") == (auth.header != null)
        && can(regex("^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$", auth.secret_arn))
      )
    ])
    error_message = "target.api_destination.auth: type must be \"api-key\" (with header), \"basic\" or \"oauth2-client-credentials\" (without), and secret_arn the ARN of a Secrets Manager secret. A secret's value never belongs into Terraform; a signature takes target.http."
  }

  validation {
    condition = alltrue([
      for auth in [for route in values(var.routes) : try(route.target.api_destination.auth, null)] : auth == null ? true : (
        auth.type == "oauth2-client-credentials"
        ? can(regex("^https://[^/?#@\\s]+", auth.token_url))
        : alltrue([for name in ["token_url", "scope", "audience"] : auth[name] == null])
      )
    ])
    error_message = "target.api_destination.auth: \"oauth2-client-credentials\" needs token_url, an https:// URL; no other type has token_url, scope or audience."
  }

  validation {
    condition = alltrue(flatten([
      for route in values(var.routes) : [
        for name, value in try(route.target.api_destination.headers, {}) :
        can(regex("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,512}$", name)) && can(regex("^[\\x20-\\x7e]{0,512}$", value))
        && !contains(["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"], lower(name))
      ] if route.target.api_destination != null
    ]))
    error_message = "target.api_destination.headers: a name has letters, digits and !#$%&'*+.^_`|~- only, a value up to 512 printable ASCII characters; credentials belong into a secret, see auth."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.target.api_destination == null ? true : (
        length(route.target.api_destination.path_values) == length(regexall("[*]", route.target.api_destination.url))
      )
    ])
    error_message = "target.api_destination.path_values must have one value for each * of the URL."
  }

  validation {
    condition = alltrue([
      for key, route in var.routes : route.target.api_destination == null ? true : length("${var.name}-${coalesce(route.destination, key)}") <= 64
    ])
    error_message = "Too long: \"<name>-<destination>\" names an API destination and its connection, and may have 64 characters."
  }

  validation {
    condition = alltrue([
      for destination in distinct([for key, route in var.routes : coalesce(route.destination, key) if route.target.api_destination != null]) :
      length(distinct([
        for key, route in var.routes : jsonencode({ for name in ["url", "method", "rate_limit_per_second", "connection_arn", "auth"] : name => route.target.api_destination[name] })
        if route.target.api_destination != null && coalesce(route.destination, key) == destination
      ])) == 1
    ])
    error_message = "Routes with the same destination share one API destination: url, method, rate_limit_per_second, connection_arn and auth must be the same in all of them. Give another destination to what differs."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : try(route.target.logs.log_group_arn, null) == null ? true : (
        can(regex("^arn:[^:]+:logs:[^:]+:[0-9]{12}:log-group:/aws/events/[A-Za-z0-9._/#-]+$", route.target.logs.log_group_arn))
        && slice(split(":", route.target.logs.log_group_arn), 3, 5) == slice(split(":", var.bus_arn), 3, 5)
      )
    ])
    error_message = "target.logs.log_group_arn must be the ARN, without :* at its end, of a log group of the bus's own account and region whose name begins with /aws/events/: EventBridge writes to no others."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : try(route.target.logs.input_transformer, null) == null ? true : (
        can(regex("\"timestamp\"", route.target.logs.input_transformer.template)) && can(regex("\"message\"", route.target.logs.input_transformer.template))
      )
    ])
    error_message = "target.logs.input_transformer: EventBridge writes to a log group only what its template makes of the form {\"timestamp\": <milliseconds or a time>, \"message\": \"...\"}."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : contains(["none", "latest", "strict"], coalesce(route.ordering, "none"))])
    error_message = "ordering must be \"none\", \"latest\" or \"strict\"."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.strict == null ? true : (
        coalesce(route.ordering, "none") == "strict"
        && coalesce(route.strict.reorder_seconds, 5) > 0 && coalesce(route.strict.reorder_seconds, 5) <= 900
        && contains(["block", "sideline"], coalesce(route.strict.on_failure, "block"))
        && coalesce(route.strict.hold_seconds, 86400) > 0 && coalesce(route.strict.hold_seconds, 86400) <= 864000
      )
    ])
    error_message = "strict belongs to ordering = \"strict\": reorder_seconds above 0 and up to 900, on_failure \"block\" or \"sideline\", hold_seconds above 0 and up to 864000 (ten days)."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : coalesce(route.ordering, "none") != "strict" ? true : (
        route.target.event_bus == null && route.target.firehose == null
        && try(route.target.lambda.invocation, "") != "event"
        && endswith(try(route.target.sqs.queue_arn, route.target.sns.topic_arn, ".fifo"), ".fifo")
      )
    ])
    error_message = "ordering = \"strict\" is for targets that keep an order themselves: FIFO queues and topics, HTTP, state machines, functions that are waited for."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.breaker == null ? true : (
        coalesce(route.breaker.failures, 10) >= 1 && coalesce(route.breaker.failures, 10) <= 10000
        && coalesce(route.breaker.max_delay_seconds, 900) > 0 && coalesce(route.breaker.max_delay_seconds, 900) <= 43200
        && coalesce(route.breaker.delay_seconds, 1) > 0 && coalesce(route.breaker.delay_seconds, 1) <= coalesce(route.breaker.max_delay_seconds, 900)
        && coalesce(route.breaker.hold_seconds, 86400) > 0 && coalesce(route.breaker.hold_seconds, 86400) <= 864000
      )
    ])
    error_message = "breaker: failures must be 1 to 10000, 0 < delay_seconds <= max_delay_seconds <= 43200, and hold_seconds above 0 and up to 864000 (ten days)."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.breaker == null && route.ordering == null && route.strict == null
      if route.target.api_destination != null || route.target.logs != null || (route.target.sqs != null && try(route.target.sqs.mode, null) == null)
    ])
    error_message = "breaker and ordering belong to what a function delivers: an api_destination, a log group and an sqs target without mode are reached by the rule itself."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.sqs == null ? true : can(regex("^https?://", route.target.sqs.queue_url))])
    error_message = "target.sqs.queue_url must be the URL of the queue."
  }

  validation {
    condition = alltrue(flatten([
      for route in values(var.routes) : [
        for kind in ["sqs", "api_destination", "logs"] : try(length(route.target[kind].input_transformer.paths), 0) <= 100
      ]
    ]))
    error_message = "input_transformer: EventBridge allows 100 paths."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.states == null ? true : can(regex("^arn:[^:]+:states:[^:]+:[0-9]{12}:stateMachine:.+$", route.target.states.state_machine_arn))])
    error_message = "target.states.state_machine_arn must be the ARN of a state machine."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : coalesce(route.ordering, "none") != "strict" || route.invocation == "queue"])
    error_message = "ordering = \"strict\" needs invocation = \"queue\": the queue is where later events wait."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : contains(["queue", "direct"], route.invocation)])
    error_message = "invocation must be \"queue\" or \"direct\"."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) :
      contains([0, 1, 2], route.function_retry.max_attempts)
      && route.function_retry.max_age_seconds >= 60 && route.function_retry.max_age_seconds <= 21600
    ])
    error_message = "function_retry: max_attempts must be 0, 1 or 2, max_age_seconds 60 to 21600 (Lambda's limits)."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) : route.invocation == "queue" || (
        route.target.api_destination == null && route.target.logs == null && !(route.target.sqs != null && try(route.target.sqs.mode, null) == null)
      )
    ])
    error_message = "invocation = \"direct\" is for what a function delivers: an api_destination, a log group and an sqs target without mode are reached by the rule itself in any case."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.invocation == "queue" || coalesce(route.ordering, "none") != "strict"])
    error_message = "ordering = \"strict\" needs invocation = \"queue\": later events wait in the queue."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) :
      route.rule_retry.max_age_seconds >= 60 && route.rule_retry.max_age_seconds <= 86400
      && route.rule_retry.max_attempts >= 0 && route.rule_retry.max_attempts <= 185
    ])
    error_message = "rule_retry: max_age_seconds must be 60 to 86400, max_attempts 0 to 185 (EventBridge's limits)."
  }

  validation {
    condition = alltrue([
      for route in values(var.routes) :
      route.redrive.max_count >= 0 && route.redrive.base_delay_seconds >= 0
      && route.redrive.max_delay_seconds >= route.redrive.base_delay_seconds
      && route.redrive.max_delay_seconds <= 39600 && route.redrive.max_age_seconds >= 0 && route.redrive.max_per_second > 0
    ])
    error_message = "redrive: counts and seconds must be 0 or more, max_per_second above 0, and max_delay_seconds from base_delay_seconds up to 39600 (a message can be held invisible for 12 hours in all)."
  }
}
