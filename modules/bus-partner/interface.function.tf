# Generated from modules/internal/interfaces/function.tf by scripts/module_interfaces.py: edit that.

variable "function" {
  description = <<-EOT
    Size and runtime of the module's functions.
      memory_mb            = memory; CPU grows with it
      timeout_seconds      = when Lambda ends an invocation
      reserved_concurrency = instances reserved for, and the most granted to, each function; null shares the account's pool, 0 stops it
      runtime              = the zip carries bytecode compiled for `python3.13`; others start more slowly
      architecture         = `arm64` or `x86_64`
      log_level            = least severe level that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`
      tracing              = X-Ray: `Active` or `PassThrough`; null takes `settings.tracing`
      snap_start           = whether a start is a restore of the published version's snapshot, which costs by memory and hour for each version
      role                 = existing role (`arn`, and `unique_id` for an ingress) in place of one that the module makes. It must trust `lambda.amazonaws.com` and have the
                             policies of the output `role_policies`, before the functions do. Best one for each module or hop
      log_group            = existing log group (`arn`) in place of one that the module makes
  EOT
  type = object({
    memory_mb            = optional(number, 256)
    timeout_seconds      = optional(number, 30)
    reserved_concurrency = optional(number)
    runtime              = optional(string, "python3.13")
    architecture         = optional(string, "arm64")
    log_level            = optional(string, "INFO")
    tracing              = optional(string)
    snap_start           = optional(bool, false)
    role = optional(object({
      arn       = string
      unique_id = optional(string)
    }))
    log_group = optional(object({
      arn = string
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.function.memory_mb >= 128 && var.function.memory_mb <= 10240 && floor(var.function.memory_mb) == var.function.memory_mb
    error_message = "function.memory_mb must be a whole number from 128 to 10240."
  }

  validation {
    condition     = var.function.timeout_seconds >= 1 && var.function.timeout_seconds <= 900 && floor(var.function.timeout_seconds) == var.function.timeout_seconds
    error_message = "function.timeout_seconds must be a whole number from 1 to 900."
  }

  validation {
    condition     = var.function.reserved_concurrency == null ? true : var.function.reserved_concurrency >= 0 && floor(var.function.reserved_concurrency) == var.function.reserved_concurrency
    error_message = "function.reserved_concurrency must be a whole number of 0 or more, or null."
  }

  validation {
    condition     = can(regex("^python3\\.(1[1-9])$", var.function.runtime))
    error_message = "function.runtime must be python3.11 or later."
  }

  # https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-runtimes
  validation {
    condition     = !var.function.snap_start || var.function.runtime != "python3.11"
    error_message = "function.snap_start needs function.runtime python3.12 or later: AWS has SnapStart for no earlier Python."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.function.architecture)
    error_message = "function.architecture must be arm64 or x86_64."
  }

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.function.log_level)
    error_message = "function.log_level must be DEBUG, INFO, WARNING, ERROR or CRITICAL."
  }

  validation {
    condition     = var.function.tracing == null ? true : contains(["Active", "PassThrough"], var.function.tracing)
    error_message = "function.tracing must be Active or PassThrough."
  }

  validation {
    condition     = var.function.role == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.function.role.arn))
    error_message = "function.role.arn must be the ARN of a role: arn:aws:iam::<account>:role/<name>."
  }

  validation {
    condition     = var.function.log_group == null ? true : can(regex("^arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:[^:]+(:\\*)?$", var.function.log_group.arn))
    error_message = "function.log_group.arn must be the ARN of a log group: arn:aws:logs:<region>:<account>:log-group:<name>."
  }
}
