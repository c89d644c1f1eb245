variable "name" {
  description = "Name of the queue, the function, its role and, with `-idempotency`, the table. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

variable "ingress" {
  description = "The ingress, as events name it: `sqs`, `sns-fifo`, `partner-bus` or `custom-bus`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["sqs", "sns-fifo", "partner-bus", "custom-bus"], var.ingress)
    error_message = "ingress must be sqs, sns-fifo, partner-bus or custom-bus."
  }
}

variable "bus_arn" {
  description = "ARN of the bus that accepted events are put on."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.bus_arn))
    error_message = "bus_arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "partners" {
  description = <<-EOT
    Partners whose messages come, by name: one partner for `sqs` and `sns-fifo`, whose messages don't name their partner.
      specification = the content of a specification file, as JSON text; `jsonencode({ preset = "mux" })` alone is one. Null, for
                      `custom-bus`: the partner speaks the envelope
      sources       = for buses: the `source` values of the partner's events; exact, or the beginning of some followed by `*`
  EOT
  type = map(object({
    specification = optional(string)
    sources       = optional(list(string))
  }))
  nullable = false

  validation {
    condition     = length(var.partners) > 0
    error_message = "partners is empty: no event would be accepted."
  }

  validation {
    condition     = length(var.partners) <= 1 || endswith(var.ingress, "-bus")
    error_message = "A queue's messages don't say whose they are: name one partner, and use the module once for each."
  }

  validation {
    condition     = alltrue([for partner in keys(var.partners) : can(regex("^[a-z0-9][a-z0-9_-]{0,62}$", partner))])
    error_message = "A partner's name must have up to 63 lower-case letters, digits, hyphens and underscores: it is part of the events' source."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.specification == null ? var.ingress == "custom-bus" : can(keys(jsondecode(partner.specification)))])
    error_message = "Every specification must be the JSON text of an object: jsonencode({ preset = \"mux\" }). Only a partner on the custom bus can do without, by speaking the envelope."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : endswith(var.ingress, "-bus") ? length(coalesce(partner.sources, [])) > 0 : partner.sources == null])
    error_message = "Partners on a bus need sources; a queue's messages have none."
  }

  validation {
    condition     = alltrue(flatten([for partner in values(var.partners) : [for source in coalesce(partner.sources, []) : can(regex("^[^*]+\\*?$", source))]]))
    error_message = "sources are exact, or the beginning of some followed by one *: example.studio, example.studio.*."
  }

  validation {
    condition = var.ingress != "custom-bus" || alltrue(flatten([for partner in values(var.partners) : [
      for source in coalesce(partner.sources, []) : !startswith(source, "partner.") && !(endswith(source, "*") && startswith("partner.", trimsuffix(source, "*")))
    ]]))
    error_message = "These modules publish under sources that begin with partner. themselves: events would go round in a loop."
  }

  validation {
    condition = alltrue(flatten([for partner, settings in var.partners : [for source in coalesce(settings.sources, []) : [
      for other, others in var.partners : [for another in coalesce(others.sources, []) :
        !(endswith(source, "*") ? startswith(trimsuffix(another, "*"), trimsuffix(source, "*")) : source == another) if partner != other
      ]
    ]]]))
    error_message = "Sources of two partners overlap: an event must belong to one."
  }
}

################################################################################
# Queue
################################################################################

variable "fifo" {
  description = "Whether the queue and its dead-letter queue are FIFO."
  type        = bool
  default     = false
  nullable    = false
}

variable "allowed_topic_arns" {
  description = "SNS topics that may send to the queue and, as their subscription's dead-letter queue, to its DLQ: FIFO topics to a FIFO queue, standard ones to a standard one. They may be unknown until apply."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "allowed_rule_arns" {
  description = "EventBridge rules that may send to the queue and, as their target's dead-letter queue, to its DLQ. They may be unknown until apply."
  type        = list(string)
  default     = []
  nullable    = false
}

################################################################################
# Consumer
################################################################################

variable "max_entry_bytes" {
  description = "Larger events go to the bucket, and the bus gets a pointer. EventBridge takes entries of 256 KB wherever it runs; leave some headroom."
  type        = number
  default     = 240000
  nullable    = false

  validation {
    condition     = var.max_entry_bytes >= 1024 && var.max_entry_bytes <= 1000000 && floor(var.max_entry_bytes) == var.max_entry_bytes
    error_message = "max_entry_bytes must be a whole number from 1024 to 1000000."
  }
}

################################################################################
# Failures
################################################################################

variable "idempotency_table" {
  description = "Idempotency store to share (`name`, `arn`), one of another module's `idempotency_tables`, so that an event that comes by both ways is published once. Null makes one."
  type = object({
    name = string
    arn  = string
  })
  default = null
}
