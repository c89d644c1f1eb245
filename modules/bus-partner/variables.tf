variable "name" {
  description = "Short name of everything but the bus: the queue, the function, its role, the archive; the rule is called `<name>-<partner>`, or `<name>` with `forward_unmodified`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,62}$", var.name))
    error_message = "name must have 1 to 62 letters, digits, hyphens or underscores."
  }
}

################################################################################
# Bus
################################################################################

variable "event_source_name" {
  description = "Name of the partner event source, which is the bus's name too: `aws.partner/<partner>/<namespace>/<name>`, as the partner gives it or `aws events list-event-sources` shows it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^aws\\.partner(/[.A-Za-z0-9_-]+){2,}$", var.event_source_name)) && length(var.event_source_name) <= 256
    error_message = "event_source_name must look like aws.partner/<partner>/<namespace>/<name>: at least two parts after aws.partner, 256 characters in all. It is the partner that creates the source: take its name from `aws events list-event-sources`."
  }
}

variable "existing_bus" {
  description = "The source's bus (`arn`), if there is one already: a source can be associated only once. Null associates the source with a bus, which must be done within days of the partner's creating it."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_bus == null ? true : can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.existing_bus.arn)) && endswith(var.existing_bus.arn, ":event-bus/${var.event_source_name}")
    error_message = "existing_bus.arn must be the ARN of the source's own bus, which has its name: arn:aws:events:<region>:<account>:event-bus/<event_source_name>."
  }
}

variable "inactivity_alarm_minutes" {
  description = "An alarm goes off when no event has come for so long: the only sign of a source that the partner has deleted. Null makes none. 5 to 1440 in steps of 5, or up to 10080 (a week) in steps of 60."
  type        = number
  default     = null

  validation {
    condition     = var.inactivity_alarm_minutes == null ? true : (var.inactivity_alarm_minutes >= 5 && var.inactivity_alarm_minutes <= 1440 && var.inactivity_alarm_minutes % 5 == 0) || (var.inactivity_alarm_minutes > 1440 && var.inactivity_alarm_minutes <= 10080 && var.inactivity_alarm_minutes % 60 == 0)
    error_message = "inactivity_alarm_minutes must be 5 to 1440 in steps of 5, or up to 10080 in steps of 60: CloudWatch looks back no further."
  }
}

################################################################################
# Events
################################################################################

variable "forward_unmodified" {
  description = "Whether the events go to the bus as they are and under their own source: for rules of your own, not for `router`. False has a function take them into the envelope."
  type        = bool
  default     = false
  nullable    = false
}

variable "partner" {
  description = "Partner that the events are from. Their source becomes `partner.<partner>`. Null with `forward_unmodified`."
  type        = string
  default     = null

  validation {
    condition     = var.partner == null ? true : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", var.partner))
    error_message = "partner must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }

  validation {
    condition     = (var.partner == null) == var.forward_unmodified
    error_message = "partner is needed, except with forward_unmodified: such events keep their own source."
  }
}

variable "specification" {
  description = "How the partner's events are read: the content of a specification file, as JSON text. Null with `forward_unmodified`."
  type        = string
  default     = null

  validation {
    condition     = var.specification == null ? true : can(keys(jsondecode(var.specification)))
    error_message = "specification must be the JSON text of an object: jsonencode({ id = \"body.id\", type = \"envelope.\\\"detail-type\\\"\" })."
  }

  validation {
    condition     = (var.specification == null) == var.forward_unmodified
    error_message = "specification is needed, except with forward_unmodified: such events are not read."
  }
}

variable "sources" {
  description = "The `source` values of the partner's events; exact, or the beginning of some followed by `*`. Null is the name of the event source, as partners use it."
  type        = list(string)
  default     = null

  validation {
    condition     = var.sources == null ? true : length(var.sources) > 0 && alltrue([for source in var.sources : can(regex("^[^*]+\\*?$", source))])
    error_message = "sources are exact, or the beginning of some followed by one *."
  }
}

variable "pattern" {
  description = "Which of the partner's events to take, as an EventBridge pattern in JSON text without `source`; null takes all."
  type        = string
  default     = null

  validation {
    condition     = var.pattern == null ? true : try(length(keys(jsondecode(var.pattern))) > 0, false) && !can(jsondecode(var.pattern).source)
    error_message = "pattern must be the JSON text of a pattern that is not empty, without source: jsonencode({ detail-type = [\"Asset Ready\"] })."
  }
}

variable "existing_role" {
  description = "With `forward_unmodified`, a role (`arn`) in place of one that the module makes. It must trust `events.amazonaws.com`, and have the policy of the output `role_policies` before the first event."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_role == null || var.forward_unmodified
    error_message = "existing_role is for forward_unmodified: the function's is function.role."
  }

  validation {
    condition     = var.existing_role == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.existing_role.arn))
    error_message = "existing_role.arn must be the ARN of a role: arn:aws:iam::<account>:role/<name>."
  }
}
