variable "name" {
  description = "Name of the state machine, its role and its log group."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores."
  }
}

variable "definition" {
  description = "The workflow in Amazon States Language, as JSON text."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.definition).StartAt) && can(keys(jsondecode(var.definition).States))
    error_message = "definition must be the JSON text of a state machine with StartAt and States."
  }

  validation {
    condition     = length(var.definition) <= 1048576
    error_message = "definition may have 1 MB at most."
  }
}

variable "type" {
  description = "`STANDARD` (up to a year, every step kept, exactly once) or `EXPRESS` (up to five minutes, at least once)."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "EXPRESS"], var.type)
    error_message = "type must be STANDARD or EXPRESS."
  }
}

################################################################################
# Logs
################################################################################

variable "log_level" {
  description = "Steps that are logged: `ERROR`, `FATAL`, `ALL` or `OFF`."
  type        = string
  default     = "ERROR"
  nullable    = false

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], var.log_level)
    error_message = "log_level must be ALL, ERROR, FATAL or OFF."
  }
}

variable "log_execution_data" {
  description = "Whether the log holds the steps' input and output. They are partners' payloads: off by default."
  type        = bool
  default     = false
  nullable    = false
}

variable "existing_role" {
  description = "A role (`arn`) in place of one that the module makes. It must trust `states.amazonaws.com`, and have the policy of the output `role_policies` before the workflow starts."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_role == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.existing_role.arn))
    error_message = "existing_role.arn must be the ARN of a role: arn:aws:iam::<account>:role/<name>."
  }
}

variable "existing_log_group" {
  description = "A log group (`arn`) in place of one that the module makes. Step Functions needs to be let in by the account's resource policy unless its name begins with `/aws/vendedlogs/`."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_log_group == null ? true : can(regex("^arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:[^:]+(:\\*)?$", var.existing_log_group.arn))
    error_message = "existing_log_group.arn must be the ARN of a log group: arn:aws:logs:<region>:<account>:log-group:<name>."
  }
}
