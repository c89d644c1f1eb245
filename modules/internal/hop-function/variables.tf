variable "name" {
  description = "Name of the queue, the function and its role. The dead-letter queue is `<name>-dlq`; `.fifo` comes last."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores, without .fifo, which the module adds."
  }
}

variable "account_id" {
  description = "The account that the queues are in, for their policies: a data source would have to ask AWS. It may be unknown until apply."
  type        = string
  nullable    = false
}

variable "handler" {
  description = "Module and function that Lambda calls, e.g. `media_events.handlers.deliver.handler`; null without a function."
  type        = string
  default     = null
}

################################################################################
# How events reach the function
################################################################################

variable "has_queue" {
  description = "Whether the function consumes a queue: the module's own, or `existing_queue`. With false and no `invoking_rules` there is no function."
  type        = bool
  default     = true
  nullable    = false
}

variable "invoking_rules" {
  description = "ARNs of the EventBridge rules that may invoke the function itself, by a name of yours, which becomes part of a statement's id. The names must be known when planned, the ARNs may be unknown until apply."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.invoking_rules) : can(regex("^[A-Za-z0-9_-]{1,64}$", name))])
    error_message = "The keys of invoking_rules must have 1 to 64 letters, digits, hyphens or underscores."
  }

  validation {
    condition     = alltrue([for arn in values(var.invoking_rules) : can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:rule/.+$", arn))])
    error_message = "invoking_rules must be ARNs of EventBridge rules: arn:aws:events:<region>:<account>:rule/<bus>/<rule>."
  }
}

variable "function_retry" {
  description = "How often Lambda invokes the function again for an event that failed (`max_attempts`, after one and two minutes), and how old an event may become that waits for the function (`max_age_seconds`). After that it goes to the dead-letter queue."
  type = object({
    max_attempts    = optional(number, 2)
    max_age_seconds = optional(number, 21600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([0, 1, 2], var.function_retry.max_attempts) && var.function_retry.max_age_seconds >= 60 && var.function_retry.max_age_seconds <= 21600
    error_message = "function_retry: max_attempts must be 0, 1 or 2, max_age_seconds 60 to 21600 (Lambda's limits)."
  }
}
