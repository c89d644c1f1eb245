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

################################################################################
# Transforms
################################################################################

variable "transforms" {
  description = <<-EOT
    Transforms, by key. A transform takes the events as received that match its pattern, and publishes them with `stage: transformed`.

    * `pattern`: EventBridge event pattern as JSON text. The module adds the stage and the re-drive condition.
    * `match_all`: must be true for the empty pattern `{}`.
    * `steps`: JSON text, a list of objects with one key each: `map`, `set`, `enrich` or `drop`.
    * `enabled`: false switches the rule off: its events are then not taken, and not kept for later.
    * `timeout_seconds`, `memory_mb`: of the function.
    * `batch_size`, `batch_window_seconds`, `maximum_concurrency`: of the queue's event source mapping.
    * `max_receive_count`: how often a message is tried before it goes to the dead-letter queue.
    * `retry`: seconds between tries, growing from `base_seconds` up to `max_seconds`.
    * `rule_retry`: how long and how often EventBridge tries to reach the queue.
    * `redrive`: how the review desk's re-drive treats this hop's dead letters.
  EOT
  type = map(object({
    pattern              = string
    match_all            = optional(bool, false)
    steps                = string
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
    rule_retry = optional(object({
      max_age_seconds = optional(number, 86400)
      max_attempts    = optional(number, 185)
    }), {})
    redrive = optional(object({
      max_count          = optional(number, 3)
      base_delay_seconds = optional(number, 60)
      max_delay_seconds  = optional(number, 3600)
      max_age_seconds    = optional(number, 86400)
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
      for transform in values(var.transforms) : try(length([for step in jsondecode(transform.steps) : step if length(keys(step)) != 1 || !contains(["map", "set", "enrich", "drop"], keys(step)[0])]) == 0 && can(tolist([for step in jsondecode(transform.steps) : "step"])) && length(jsondecode(transform.steps)) > 0 && !can(keys(jsondecode(transform.steps))), false)
    ])
    error_message = "steps must be a JSON list that is not empty, of objects with exactly one key each: map, set, enrich or drop."
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
      && transform.redrive.max_delay_seconds <= 39600 && transform.redrive.max_age_seconds >= 0
    ])
    error_message = "redrive: counts and seconds must be 0 or more, and max_delay_seconds from base_delay_seconds up to 39600 (a message can be held invisible for 12 hours in all)."
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
        `auth`: `{type = "api-key", header, secret_arn}`, `{type = "basic", secret_arn}` or `{type = "standard-webhooks", secret_arn}`;
        `kms_key_arn` if the secret is encrypted with a customer managed key other than the module's.
        `allowed_private_cidrs`: private networks that the URL may resolve to. `allow_http`: true allows an unencrypted `http://` URL.
      * `sqs`: the rule sends straight to a queue of yours. `message_group_id` for a FIFO queue (a rule can only give a constant one).
        `input_transformer`: `{paths, template}` as EventBridge has it. The queue's policy must let the rule in: attach
        the output `sqs_target_policies`, or set `manage_queue_policy = true` if the queue has no other policy.
      * `states`: a function starts the state machine.
    * `timeout_seconds`, `memory_mb`, `batch_size`, `batch_window_seconds`, `maximum_concurrency`, `max_receive_count`, `retry`:
      as for transforms; without meaning for `sqs`.
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
          type        = string
          header      = optional(string)
          secret_arn  = string
          kms_key_arn = optional(string)
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
      }))
      states = optional(object({
        state_machine_arn = string
      }))
    })
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
    rule_retry = optional(object({
      max_age_seconds = optional(number, 86400)
      max_attempts    = optional(number, 185)
    }), {})
    redrive = optional(object({
      max_count          = optional(number, 3)
      base_delay_seconds = optional(number, 60)
      max_delay_seconds  = optional(number, 3600)
      max_age_seconds    = optional(number, 86400)
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
    condition     = alltrue([for route in values(var.routes) : length([for target in [route.target.http, route.target.sqs, route.target.states] : target if target != null]) == 1])
    error_message = "A route has exactly one target: http, sqs or states. Several targets for the same events are several routes with the same pattern."
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
        contains(["api-key", "basic", "standard-webhooks"], route.target.http.auth.type)
        && (route.target.http.auth.type == "api-key") == (route.target.http.auth.header != null)
      )
    ])
    error_message = "auth.type must be \"api-key\" (with header), \"basic\" or \"standard-webhooks\" (without)."
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
      for route in values(var.routes) : route.target.sqs == null ? true : endswith(route.target.sqs.queue_arn, ".fifo") == (route.target.sqs.message_group_id != null)
    ])
    error_message = "message_group_id is required for a FIFO queue and has no meaning for a standard one."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.sqs == null ? true : can(regex("^https?://", route.target.sqs.queue_url))])
    error_message = "target.sqs.queue_url must be the URL of the queue."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : try(length(route.target.sqs.input_transformer.paths), 0) <= 100])
    error_message = "input_transformer: EventBridge allows 100 paths."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.target.states == null ? true : can(regex("^arn:[^:]+:states:[^:]+:[0-9]{12}:stateMachine:.+$", route.target.states.state_machine_arn))])
    error_message = "target.states.state_machine_arn must be the ARN of a state machine."
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
      && route.redrive.max_delay_seconds <= 39600 && route.redrive.max_age_seconds >= 0
    ])
    error_message = "redrive: counts and seconds must be 0 or more, and max_delay_seconds from base_delay_seconds up to 39600 (a message can be held invisible for 12 hours in all)."
  }
}
