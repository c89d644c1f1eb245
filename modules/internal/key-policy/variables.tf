variable "name" {
  description = "Name of the deployment or module, which the names of its log groups begin with."
  type        = string
  nullable    = false
}

variable "services" {
  description = "What the module encrypts for services of AWS: `logs`, `events` (a bus, or a queue that rules send to), `sns` (a queue that topics send to), `cloudwatch` (a topic that alarms notify), `states` (a state machine)."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(var.services, ["logs", "events", "sns", "cloudwatch", "states"])) == 0
    error_message = "services must be of logs, events, sns, cloudwatch and states."
  }
}

variable "senders" {
  description = "Senders of other accounts to a queue or topic, by name."
  type = map(object({
    account_ids     = optional(list(string), [])
    role_arns       = optional(list(string), [])
    organization_id = optional(string)
  }))
  default  = {}
  nullable = false
}
