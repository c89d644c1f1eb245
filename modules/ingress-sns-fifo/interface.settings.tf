# Generated from modules/internal/interfaces/settings.tf by scripts/module_interfaces.py: edit that.

variable "settings" {
  description = <<-EOT
    Settings that all modules of a deployment share: pass the same object to each.
      kms_key                  = customer managed key (`arn`) for all that the module encrypts; null uses keys that AWS owns
      permissions_boundary_arn = permissions boundary of every role
      role_path                = path of every role, such as `/media/`. A role keeps the path that it was made with
      role_name_prefix         = beginning of every role's name, where a company's rules ask for one; the rest is the name of what the role is for
      role_policies            = `inline`, or `managed`: each role's policy is then one that can be attached elsewhere too, of 6,144 characters at most
      vpc                      = subnets (`subnet_ids`) and security groups (`security_group_ids`) of every function: private subnets with a way
                                 to the AWS APIs and partners that the functions call. Null leaves the functions outside any VPC
      logs                     = `retention_days` (0 keeps logs for ever) and `class`. `INFREQUENT_ACCESS` is cheaper, but CloudWatch then
                                 takes no metrics from the logs, and `media-events trace` can't read them
      alarms                   = `enabled` (false makes no alarm), `severities` (which are made: `critical` needs a person, `warning` is
                                 slow), `actions` (what alarms of each severity notify, an SNS topic for instance), `notify_on` (in which
                                 states: add `OK` to hear of recoveries, but also of each new alarm's first one), `reviewed` (true
                                 where `dlq-review` reads all dead-letter queues and alarms for them: the others then don't) and
                                 `runbook_url` (of the runbook that every alarm's description names, or of your copy of it)
      tracing                  = X-Ray: `Active` records a sample of events, each as one trace from its ingress to its receiver, and the executions of
                                 state machines; X-Ray bills each trace. `PassThrough` leaves it to callers that trace
      package                  = where the functions' code is: `filename`, a zip on the machine that runs Terraform, or `s3_bucket` and
                                 `s3_key` (and `s3_object_version`); `source_code_hash`, the base64 SHA-256 of the zip, shows a new zip in S3.
                                 The output of `internal/lambda-package` fits. Null takes the zip of this repository
      bucket                   = bucket (`name`, `arn`) for the functions' configuration and for bodies too large for the bus. Null
                                 makes one for each module that needs one
      max_message_size         = largest message of every queue and dead-letter queue, in bytes, 262144 to 1048576. An event that EventBridge
                                 accepts, up to 1 MiB, and that is larger than this, is lost. More than 262144 needs AWS provider 6.8
      tags                     = tags of every resource that takes them
  EOT
  type = object({
    kms_key = optional(object({
      arn = string
    }))
    permissions_boundary_arn = optional(string)
    role_path                = optional(string, "/")
    role_name_prefix         = optional(string, "")
    role_policies            = optional(string, "inline")
    vpc = optional(object({
      subnet_ids         = list(string)
      security_group_ids = list(string)
    }))
    logs = optional(object({
      retention_days = optional(number, 30)
      class          = optional(string, "STANDARD")
    }), {})
    alarms = optional(object({
      enabled     = optional(bool, true)
      severities  = optional(set(string), ["critical", "warning"])
      notify_on   = optional(set(string), ["ALARM", "INSUFFICIENT_DATA"])
      reviewed    = optional(bool, false)
      runbook_url = optional(string, "docs/reference/runbook.md")
      actions = optional(object({
        critical = optional(list(string), [])
        warning  = optional(list(string), [])
      }), {})
    }), {})
    tracing = optional(string, "PassThrough")
    package = optional(object({
      filename          = optional(string)
      s3_bucket         = optional(string)
      s3_key            = optional(string)
      s3_object_version = optional(string)
      source_code_hash  = optional(string)
    }))
    bucket = optional(object({
      name = string
      arn  = string
    }))
    max_message_size = optional(number, 262144)
    tags             = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.settings.kms_key == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.settings.kms_key.arn))
    error_message = "settings.kms_key.arn must be the ARN of a key (arn:aws:kms:…:key/…). An alias won't do, and the AWS-managed aws/sqs key can't be used by EventBridge."
  }

  # SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
  validation {
    condition     = var.settings.max_message_size >= 262144 && var.settings.max_message_size <= 1048576
    error_message = "settings.max_message_size must be 262144 to 1048576 bytes."
  }

  validation {
    condition     = can(regex("^/([!-.0-~]+/)*$", var.settings.role_path)) && length(var.settings.role_path) <= 512
    error_message = "settings.role_path must begin and end with a slash: / or /media/."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{0,32}$", var.settings.role_name_prefix))
    error_message = "settings.role_name_prefix must have up to 32 letters, digits and +=,.@_-: roles' names have 64 in all."
  }

  validation {
    condition     = contains(["inline", "managed"], var.settings.role_policies)
    error_message = "settings.role_policies must be inline or managed."
  }

  validation {
    condition     = var.settings.vpc == null ? true : length(var.settings.vpc.subnet_ids) > 0 && length(var.settings.vpc.security_group_ids) > 0
    error_message = "settings.vpc needs at least one of subnet_ids and one of security_group_ids, as Lambda does."
  }

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.settings.logs.retention_days)
    error_message = "settings.logs.retention_days must be 0 (for ever) or a number of days that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }

  validation {
    condition     = contains(["STANDARD", "INFREQUENT_ACCESS"], var.settings.logs.class)
    error_message = "settings.logs.class must be STANDARD or INFREQUENT_ACCESS."
  }

  validation {
    condition     = length(setsubtract(var.settings.alarms.severities, ["critical", "warning"])) == 0
    error_message = "settings.alarms.severities has critical, warning or both; enabled = false makes no alarm at all."
  }

  validation {
    condition     = length(setsubtract(var.settings.alarms.notify_on, ["ALARM", "INSUFFICIENT_DATA", "OK"])) == 0
    error_message = "settings.alarms.notify_on has states of CloudWatch's: ALARM, INSUFFICIENT_DATA, OK."
  }

  # A description has 1024 characters: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  validation {
    condition     = can(regex("^[^\\s#]{1,300}$", var.settings.alarms.runbook_url))
    error_message = "settings.alarms.runbook_url must be an address of up to 300 characters without spaces and #: alarms add their section."
  }

  validation {
    condition     = contains(["Active", "PassThrough"], var.settings.tracing)
    error_message = "settings.tracing must be Active or PassThrough."
  }

  validation {
    condition = var.settings.package == null ? true : (
      (var.settings.package.filename != null) != (var.settings.package.s3_bucket != null)
      && (var.settings.package.s3_bucket != null) == (var.settings.package.s3_key != null)
      && (var.settings.package.s3_object_version == null || var.settings.package.s3_bucket != null)
    )
    error_message = "settings.package takes either filename, or s3_bucket with s3_key (and s3_object_version if you like): exactly one of the two."
  }
}
