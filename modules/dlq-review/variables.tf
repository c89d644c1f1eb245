variable "name" {
  description = "Name of the function, the topic and the table (`<name>`, `<name>-items`)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$", var.name))
    error_message = "name must be 1 to 48 letters, digits, hyphens or underscores, and begin with a letter or digit."
  }
}

variable "name_prefix" {
  description = "Beginning of the names of this deployment's resources, with its separator, such as `media-prod-`. Policies then name queues, functions, idempotency stores, log groups and state machines that begin so by a pattern, and their length doesn't grow with the number of hops. No other deployment of the account and region may have such names. Null: each is named by itself, for which a dozen hops are too many."
  type        = string
  default     = null

  validation {
    condition     = var.name_prefix == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]+[_-]$", var.name_prefix))
    error_message = "name_prefix must be letters, digits, hyphens or underscores, begin with a letter or digit, and end with a hyphen or underscore: without that, media-prod would be media-production too."
  }
}

################################################################################
# Dead letters
################################################################################

variable "bus_arn" {
  description = "ARN of the event bus to which dead letters of a rule go back, for that rule alone."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:event-bus/.+$", var.bus_arn))
    error_message = "bus_arn must look like arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "dead_letter_queues" {
  description = <<-EOT
    The dead-letter queues to read, by hop: `merge()` of the outputs `dead_letter_queues` of the other modules.

    * `queue_arn`, `queue_url`: of the dead-letter queue. Its visibility timeout must be at least six times the function's timeout.
    * `hop`, `destination`: the hop that failed, and the destination of its events.
    * `source_queue_arn`, `source_queue_url`: the hop's queue, where `redrive_target` is `queue`.
    * `function_arn`: the hop's function, where requests go back to it: needed where `redrive_target` is `function`, allowed elsewhere.
    * `consumer_arn`: the function that consumes the hop's queue. A message that crashed it is handed to it once more, alone and past the queue, so
      that no live message fails with it; so is every message of an ingress. Null: the message goes back to the queue as others do. Where the hop is an ingress (`ingress/…`), this
      function or `function_arn` must be one of these modules': it is asked which event is in a message that no function has read, before a person is.
    * `function_role_id`: unique id of that function's role, needed where the hop is an ingress. What anybody else sent to an ingress says nothing about
      why it failed; `from_rules`: only EventBridge's rules send there, so their reasons are believed.
    * `rule_arn`: the rule of a hop of `router`. What goes back by the bus for this hop alone goes to review instead if the rule does not take it any more.
    * `redrive_target`: where a dead letter is tried again: `queue`, `bus`, `function`, or `none` where nothing could take it. Then a person is asked
      at once.
    * `idempotency_table`: `{ name, arn }` of the table with the destination's circuit breaker: while that is open, dead letters wait.
    * `ordered`: whether the hop keeps the events of a key in their order. The policy `administer` may then release the key's later events.
    * `redrive`: how often (`max_count`), how soon (`base_delay_seconds`, doubling up to `max_delay_seconds`) and up to which age of the event
      (`max_age_seconds`) failures that may pass are tried again before a person is asked, and how many dead letters of the hop go back in a second
      at most, by any way (`max_per_second`), so that ten thousand of them don't slow live traffic.
  EOT
  type = map(object({
    queue_arn         = string
    queue_url         = string
    hop               = string
    destination       = string
    source_queue_arn  = optional(string)
    source_queue_url  = optional(string)
    function_arn      = optional(string)
    consumer_arn      = optional(string)
    function_role_id  = optional(string)
    from_rules        = optional(bool, false)
    rule_arn          = optional(string)
    redrive_target    = string
    idempotency_table = optional(object({ name = string, arn = string }))
    ordered           = optional(bool, false)
    redrive = optional(object({
      max_count          = optional(number, 3)
      base_delay_seconds = optional(number, 60)
      max_delay_seconds  = optional(number, 3600)
      max_age_seconds    = optional(number, 172800)
      max_per_second     = optional(number, 5)
    }), {})
  }))
  nullable = false

  validation {
    condition     = length(var.dead_letter_queues) > 0
    error_message = "dead_letter_queues is empty: there is nothing to review. Pass the outputs dead_letter_queues of ingress and router modules, merged."
  }

  validation {
    condition     = alltrue([for queue in values(var.dead_letter_queues) : can(regex("^arn:[^:]+:sqs:[^:]+:[0-9]{12}:.+$", queue.queue_arn))])
    error_message = "queue_arn must be the ARN of a queue."
  }

  validation {
    condition     = length(distinct(values(var.dead_letter_queues)[*].queue_arn)) == length(var.dead_letter_queues)
    error_message = "Two hops can't share a dead-letter queue: a message there would not say whose it is."
  }

  validation {
    condition     = alltrue([for queue in values(var.dead_letter_queues) : can(regex("^(ingress|transform|route|review)/.+$", queue.hop))])
    error_message = "hop must be <step>/<name>, the step being ingress, transform, route or review."
  }

  validation {
    condition     = alltrue([for queue in values(var.dead_letter_queues) : contains(["queue", "bus", "function", "none"], queue.redrive_target)])
    error_message = "redrive_target must be \"queue\", \"bus\", \"function\" or \"none\"."
  }

  validation {
    condition = alltrue([
      for queue in values(var.dead_letter_queues) :
      queue.redrive_target == "queue" ? queue.source_queue_arn != null && queue.source_queue_url != null :
      queue.redrive_target == "function" ? queue.function_arn != null : true
    ])
    error_message = "redrive_target = \"queue\" needs source_queue_arn and source_queue_url, redrive_target = \"function\" needs function_arn."
  }

  validation {
    condition = alltrue([
      for queue in values(var.dead_letter_queues) : !startswith(queue.hop, "ingress/") || queue.redrive_target == "bus" ? true :
      queue.consumer_arn == null && queue.function_arn == null ? true : queue.function_role_id != null
    ])
    error_message = "An ingress with a function needs function_role_id: dead letters are believed of that role alone."
  }

  validation {
    condition = alltrue([
      for queue in values(var.dead_letter_queues) : queue.redrive_target != "queue" ? true : endswith(queue.queue_arn, ".fifo") == endswith(queue.source_queue_arn, ".fifo")
    ])
    error_message = "A queue and its dead-letter queue are both FIFO or both standard."
  }

  validation {
    condition = alltrue([
      for queue in values(var.dead_letter_queues) :
      queue.redrive.max_count >= 0 && queue.redrive.max_count <= 100 && floor(queue.redrive.max_count) == queue.redrive.max_count
      && queue.redrive.base_delay_seconds >= 0 && queue.redrive.max_delay_seconds >= queue.redrive.base_delay_seconds
      && queue.redrive.max_delay_seconds <= 39600 && queue.redrive.max_age_seconds >= 0 && queue.redrive.max_age_seconds <= 1166400
      && queue.redrive.max_per_second > 0 && queue.redrive.max_per_second <= 10000
    ])
    error_message = "redrive: max_count must be a whole number from 0 to 100, max_delay_seconds from base_delay_seconds (0 or more) to 39600 (a message can be held invisible for 12 hours in all), max_age_seconds from 0 to 1166400 (13.5 of the 14 days that a queue keeps a message), max_per_second above 0 and up to 10000."
  }
}

variable "archive" {
  description = "The bus's archive, `{ arn }`; null without one. With it `operator_policies` has `archive_replay` and `repeat_effects`."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.archive == null ? true : can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:archive/[A-Za-z0-9._-]{1,48}$", var.archive.arn))
    error_message = "archive.arn must be the ARN of an EventBridge archive: arn:aws:events:<region>:<account>:archive/<name>."
  }
}

variable "log_group_names" {
  description = "Log groups of the hops' functions, by hop: `merge()` of the outputs `log_group_names` of the other modules. The policies let operators search them for an event (`media-events trace`), and the log group of the redrive function."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "idempotency_tables" {
  description = "Idempotency stores, by hop: `merge()` of the outputs `idempotency_tables` of the other modules. The policies let operators look up there when an event came in, besides the stores in `dead_letter_queues`."
  type        = map(object({ name = string, arn = string }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for table in values(var.idempotency_tables) : can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[^/]+$", table.arn))])
    error_message = "idempotency_tables: each arn must be the ARN of a table."
  }
}

variable "state_machine_arns" {
  description = "State machines that events start, by destination. The policies let operators see the status of an event's execution."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.state_machine_arns) : can(regex("^arn:[^:]+:states:[^:]+:[0-9]{12}:stateMachine:[^:]+$", arn))])
    error_message = "state_machine_arns must be ARNs of state machines, without a version or an alias."
  }
}

variable "maximum_concurrency" {
  description = "How many instances of the function may read one dead-letter queue at a time: 2 to 1000. Low, so that ten thousand dead letters don't take the account's concurrency from live traffic."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "maximum_concurrency must be 2 to 1000 (Lambda's limits for a queue)."
  }
}

variable "batch_size" {
  description = "How many dead letters the function takes at a time."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10
    error_message = "batch_size must be 1 to 10: FIFO queues allow no more."
  }
}

################################################################################
# Review table
################################################################################

variable "deletion_protection" {
  description = "Whether the table with the review items refuses to be deleted. False for environments that come and go."
  type        = bool
  default     = true
  nullable    = false
}

variable "audit_lock" {
  description = "How S3's Object Lock keeps each entry of the audit from its writing on, for `days`: `COMPLIANCE` against everybody, the account's root too; `GOVERNANCE` except those who may `s3:BypassGovernanceRetention`. The bucket's policy refuses changes for ever, until an administrator changes it."
  type = object({
    mode = optional(string, "GOVERNANCE")
    days = optional(number, 365)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.audit_lock.mode) && var.audit_lock.days >= 1 && var.audit_lock.days <= 36500 && floor(var.audit_lock.days) == var.audit_lock.days
    error_message = "audit_lock: mode must be GOVERNANCE or COMPLIANCE, days a whole number from 1 to 36500."
  }
}

variable "existing_audit_bucket" {
  description = <<-EOT
    A bucket for the audit in place of one that the module makes, with Object Lock and versioning, and best in an account of its own. Its settings stay its
    owner's: `audit_lock` has no effect. Its policy needs the statements of the output `existing_audit_bucket_policy`; in another account it must
    let in the roles that hold `operator_policies` as well.
      name    = of the bucket
      arn     = of the bucket
      kms_key = customer managed key (`arn`) that the bucket is encrypted with, other than `settings.kms_key`
  EOT
  type = object({
    name    = string
    arn     = string
    kms_key = optional(object({ arn = string }))
  })
  default = null

  validation {
    condition     = var.existing_audit_bucket == null ? true : can(regex("^arn:[a-z-]+:s3:::[a-z0-9.-]{3,63}$", var.existing_audit_bucket.arn)) && endswith(var.existing_audit_bucket.arn, ":${var.existing_audit_bucket.name}")
    error_message = "existing_audit_bucket has a bucket's name, and the ARN of the same bucket, arn:aws:s3:::<name>."
  }
}

variable "trail" {
  description = "Makes a CloudTrail trail of every call to the review table, the audit and the functions of these hops, in the existing bucket `bucket_name`, best another account's, under `key_prefix`. The bucket needs [the policy that CloudTrail asks for](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html). AWS charges for each call. Null: none."
  type = object({
    bucket_name = string
    key_prefix  = optional(string)
  })
  default = null
}

variable "closed_retention_days" {
  description = "How many days an item stays after it was closed (resolved, archived or superseded by an edited event). Then it is deleted with its bodies. Open items are never deleted."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.closed_retention_days >= 1 && floor(var.closed_retention_days) == var.closed_retention_days
    error_message = "closed_retention_days must be a whole number of at least 1."
  }
}

variable "maintenance_minutes" {
  description = "Interval of the review maintenance: the function confirms retries, deletes items that were closed long ago, and measures how many are open."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.maintenance_minutes >= 1 && var.maintenance_minutes <= 60 && floor(var.maintenance_minutes) == var.maintenance_minutes
    error_message = "maintenance_minutes must be a whole number from 1 to 60."
  }
}

################################################################################
# Notifications and alarms
################################################################################

variable "notifications_per_hour" {
  description = "How many new failure groups the topic reports in an hour at most. It reports the others when there is room and they fail again."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.notifications_per_hour >= 1 && floor(var.notifications_per_hour) == var.notifications_per_hour
    error_message = "notifications_per_hour must be a whole number of at least 1."
  }
}

variable "messages_waiting_alarm" {
  description = "How many messages may wait at one hop for an hour, visible, in flight or delayed, before an alarm goes off. SQS lets a standard queue have 120,000 in flight."
  type        = number
  default     = 10000
  nullable    = false

  validation {
    condition     = var.messages_waiting_alarm >= 0
    error_message = "messages_waiting_alarm must be 0 or more."
  }
}

variable "oldest_open_alarm_hours" {
  description = "How many hours an item may be open before an alarm goes off."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.oldest_open_alarm_hours > 0
    error_message = "oldest_open_alarm_hours must be above 0."
  }
}

################################################################################
# Editing
################################################################################

variable "editable_types" {
  description = <<-EOT
    Types of events that operators with the policy `edit` may correct and send again (`media-events review edit`), by type; none by default.

    * `schema`: a JSON Schema (text, `jsonencode(…)`) that the edited event's `data` must fit. Null: any.
  EOT
  type = map(object({
    schema = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for type in keys(var.editable_types) : length(type) > 0 && length(type) <= 128 && !strcontains(type, "*")])
    error_message = "editable_types: name each type in full (at most 128 characters), without a wildcard: each type that may be edited should be named."
  }

  validation {
    condition     = alltrue([for rules in values(var.editable_types) : rules.schema == null || can(keys(jsondecode(rules.schema)))])
    error_message = "editable_types: schema must be a JSON Schema as text: jsonencode({ … })."
  }

  validation {
    condition     = length(jsonencode(var.editable_types)) < 300000
    error_message = "editable_types: the schemas must be smaller than 300,000 characters together, since one entry of the table holds them."
  }
}

variable "existing_topic" {
  description = "A topic (`arn`, and `kms_key` if it has one) to tell of new review items, in place of one that the module makes. Its policy must let the function's role publish, unless it is this account's and names nobody."
  type = object({
    arn = string
    kms_key = optional(object({
      arn = string
    }))
  })
  default = null

  validation {
    condition     = var.existing_topic == null ? true : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.existing_topic.arn))
    error_message = "existing_topic.arn must be the ARN of a standard topic: arn:aws:sns:<region>:<account>:<name>."
  }
}
