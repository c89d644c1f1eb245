################################################################################
# Common
################################################################################

variable "name" {
  description = "Name of the function, the topic and the table (`<name>`, `<name>-items`)."
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
    ARN of the customer managed key for table, topic, bodies, logs and configuration; null means keys that AWS owns (and
    `alias/aws/sns` for the topic). The dead-letter queues must be encrypted with the same key, or with one that AWS owns.
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
  description = "The kit's bucket (`storage-bucket`), which holds the functions' configuration and large bodies. Null: the module makes one of its own."
  type = object({
    name = string
    arn  = string
  })
  default = null
}

################################################################################
# Dead letters
################################################################################

variable "bus_arn" {
  description = "ARN of the event bus on which a rule's dead letters are put back, for the rule that failed alone."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:event-bus/.+$", var.bus_arn))
    error_message = "bus_arn must look like arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "dead_letter_queues" {
  description = <<-EOT
    The dead-letter queues to attend to, by hop: `merge()` of the outputs `dead_letter_queues` of the modules that have them.

    * `queue_arn`, `queue_url`: of the dead-letter queue. Its visibility timeout must be at least six times `timeout_seconds`.
    * `hop`, `destination`: what failed, and for whom the events were.
    * `source_queue_arn`, `source_queue_url`: the hop's queue, where `redrive_target` is `queue`.
    * `function_arn`: the hop's function, where requests go back to it: needed where `redrive_target` is `function`, allowed elsewhere.
    * `consumer_arn`: the function that consumes the hop's queue. A message that crashed it is handed to it once more, alone and past the queue, so
      that it takes no live messages along. Null: it goes back to the queue as others do. Of a way in (`ingress/…`) the function, this or `function_arn`,
      must be the kit's: it is asked which event is in a message that nothing has read, before a person is.
    * `redrive_target`: where a dead letter goes to be tried again: `queue`, `bus`, `function`, or `none` where nothing could take it: then a person is asked at once.
    * `ledger_table_name`, `ledger_table_arn`: the table with the destination's breaker: while that is open, dead letters wait.
    * `ordered`: whether the hop keeps the events of a key in their order. Who may archive may then tell its queue that a key goes on.
    * `redrive`: how often (`max_count`), how soon (`base_delay_seconds`, doubling up to `max_delay_seconds`) and up to which age of the event
      (`max_age_seconds`) failures that may pass are tried again before a person is asked, and how many letters of the hop go back in a second
      at most, in whatever way (`max_per_second`), so that ten thousand of them don't slow live traffic.
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
    redrive_target        = string
    ledger_table_name = optional(string)
    ledger_table_arn  = optional(string)
    ordered           = optional(bool, false)
    redrive = optional(object({
      max_count          = optional(number, 3)
      base_delay_seconds = optional(number, 60)
      max_delay_seconds  = optional(number, 3600)
      max_age_seconds    = optional(number, 86400)
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
      for queue in values(var.dead_letter_queues) : queue.redrive_target != "queue" ? true : endswith(queue.queue_arn, ".fifo") == endswith(queue.source_queue_arn, ".fifo")
    ])
    error_message = "A queue and its dead-letter queue are both FIFO or both standard."
  }

  validation {
    condition = alltrue([
      for queue in values(var.dead_letter_queues) :
      queue.redrive.max_count >= 0 && queue.redrive.base_delay_seconds >= 0
      && queue.redrive.max_delay_seconds >= queue.redrive.base_delay_seconds
      && queue.redrive.max_delay_seconds <= 39600 && queue.redrive.max_age_seconds >= 0 && queue.redrive.max_per_second > 0
    ])
    error_message = "redrive: counts and seconds must be 0 or more, max_per_second above 0, and max_delay_seconds from base_delay_seconds up to 39600 (a message can be held invisible for 12 hours in all)."
  }
}

variable "archive_arn" {
  description = "ARN of the bus's archive, as `bus-custom` puts it out; null without one. With it, `operator_policies` has `replay_archive` and `repeat_effects`."
  type        = string
  default     = null

  validation {
    condition     = var.archive_arn == null || can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:archive/[A-Za-z0-9._-]{1,48}$", var.archive_arn))
    error_message = "archive_arn must be the ARN of an EventBridge archive: arn:aws:events:<region>:<account>:archive/<name>."
  }
}

variable "log_group_names" {
  description = "Log groups of the hops' functions, by hop: `merge()` of the outputs `log_group_names` of the modules that have them. The policies let operators search them for an event (`media-events trace`), and the re-drive function's own."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "ledger_table_arns" {
  description = "Ledgers of the ways in, besides those in `dead_letter_queues`: the policies let operators look up there when an event came in."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in compact(var.ledger_table_arns) : can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[^/]+$", arn))])
    error_message = "ledger_table_arns must be ARNs of tables."
  }
}

variable "state_machine_arns" {
  description = "State machines that events start, by destination: the policies let operators see how an event's execution went, as far as its status."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.state_machine_arns) : can(regex("^arn:[^:]+:states:[^:]+:[0-9]{12}:stateMachine:[^:]+$", arn))])
    error_message = "state_machine_arns must be ARNs of state machines, without a version or an alias."
  }
}

variable "maximum_concurrency" {
  description = "How many instances of the function may work on one dead-letter queue at a time: 2 to 1000. Low, so that ten thousand dead letters don't take the account's concurrency from live traffic."
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

variable "timeout_seconds" {
  description = "Timeout of the function, 60 to 900: it waits for its letters' turns, and up to 45 seconds for a function that tries one alone. The dead-letter queues' visibility timeout must be six times as long (360 seconds in this kit's modules)."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 900
    error_message = "timeout_seconds must be 60 to 900: the function that tries a letter alone is waited for for up to 45 seconds."
  }
}

variable "memory_mb" {
  description = "Memory of the function."
  type        = number
  default     = 256
  nullable    = false
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

variable "keep_settled_days" {
  description = "How many days an item stays after it was resolved, archived or superseded by an edited event; then it is deleted with its bodies. Open items never go."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.keep_settled_days >= 1 && floor(var.keep_settled_days) == var.keep_settled_days
    error_message = "keep_settled_days must be a whole number of at least 1."
  }
}

variable "housekeeping_minutes" {
  description = "Every how many minutes the function confirms replays, deletes what has been settled for long, and measures how much waits."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.housekeeping_minutes >= 1 && var.housekeeping_minutes <= 60 && floor(var.housekeeping_minutes) == var.housekeeping_minutes
    error_message = "housekeeping_minutes must be a whole number from 1 to 60."
  }
}

################################################################################
# Notifications and alarms
################################################################################

variable "notifications_per_hour" {
  description = "Of how many new groups of failures the topic tells in an hour at most. Of the others it tells when there is room and they fail again."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.notifications_per_hour >= 1 && floor(var.notifications_per_hour) == var.notifications_per_hour
    error_message = "notifications_per_hour must be a whole number of at least 1."
  }
}

variable "oldest_open_alarm_hours" {
  description = "After how many hours an item that nobody has attended to raises an alarm."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.oldest_open_alarm_hours > 0
    error_message = "oldest_open_alarm_hours must be above 0."
  }
}

variable "growth_alarm_items" {
  description = "How many items opened in one hour raise an alarm."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.growth_alarm_items >= 1
    error_message = "growth_alarm_items must be at least 1."
  }
}

################################################################################
# Review desk
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
    error_message = "editable_types: name each type in full (at most 128 characters), without a wildcard: what is allowed to be edited should be said one by one."
  }

  validation {
    condition     = alltrue([for rules in values(var.editable_types) : rules.schema == null || can(keys(jsondecode(rules.schema)))])
    error_message = "editable_types: schema must be a JSON Schema as text: jsonencode({ … })."
  }

  validation {
    condition     = length(jsonencode(var.editable_types)) < 300000
    error_message = "editable_types: the schemas must be smaller than 300,000 characters together, since they are kept in one entry of the table."
  }
}
