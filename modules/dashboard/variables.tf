variable "name" {
  description = "Name of the dashboard, and folder of the saved queries. An account has one list of dashboards for all its regions."
  type        = string
  nullable    = false

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,200}$", var.name))
    error_message = "name must have up to 200 letters, digits, hyphens and underscores."
  }
}

variable "function_arns" {
  description = "The functions, by hop: `merge()` of the outputs `function_arns` of the other modules, that of `dlq-review` included."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.function_arns) > 0
    error_message = "function_arns is empty: there is nothing to show. Pass the outputs function_arns of the other modules, merged."
  }
}

variable "dead_letter_queues" {
  description = "The hops' queues and destinations, by hop: `merge()` of the outputs `dead_letter_queues` of the other modules."
  type = map(object({
    queue_arn         = string
    source_queue_url  = optional(string)
    destination       = string
    idempotency_table = optional(object({ name = string }))
  }))
  default  = {}
  nullable = false

  # 2,500 metrics in a dashboard, of which a hop has ten: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
  validation {
    condition     = length(setunion(keys(var.dead_letter_queues), keys(var.function_arns))) <= 245
    error_message = "A dashboard shows at most 245 hops: make several, of some hops each."
  }
}

variable "log_group_names" {
  description = "The functions' log groups, by hop: `merge()` of the outputs `log_group_names` of the other modules. Without any no queries are saved."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "bus_arn" {
  description = "ARN of the event bus, whose figures are shown then."
  type        = string
  default     = null

  validation {
    condition     = var.bus_arn == null ? true : can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.bus_arn))
    error_message = "bus_arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

variable "alarm_arns" {
  description = "ARNs of alarms whose states are shown on top."
  type        = list(string)
  default     = []
  nullable    = false
}
