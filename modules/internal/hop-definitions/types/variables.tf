# Generated from modules/internal/limits/limits.json by scripts/hop_types.py: edit that.

variable "transforms" {
  type = map(object({
    pattern    = optional(string)
    match_all  = optional(bool, false)
    steps      = optional(string)
    package    = optional(string)
    layers     = optional(list(string), [])
    enabled    = optional(bool, true)
    invocation = optional(string, "queue")
    function = optional(object({
      memory_mb            = optional(number)
      timeout_seconds      = optional(number)
      reserved_concurrency = optional(number)
      runtime              = optional(string)
      architecture         = optional(string)
      log_level            = optional(string)
      tracing              = optional(string)
      snap_start           = optional(bool)
      role = optional(object({
        arn       = optional(string)
        unique_id = optional(string)
      }))
      log_group = optional(object({
        arn = optional(string)
      }))
    }), {})
    queue = optional(object({
      enabled                    = optional(bool)
      batch_size                 = optional(number)
      batch_window_seconds       = optional(number)
      maximum_concurrency        = optional(number)
      visibility_timeout_seconds = optional(number)
      age_alarm_seconds          = optional(number)
    }), {})
    failure = optional(object({
      max_receive_count = optional(number)
      retry = optional(object({
        base_seconds = optional(number)
        max_seconds  = optional(number)
      }), {})
      redrive = optional(object({
        max_count          = optional(number)
        base_delay_seconds = optional(number)
        max_delay_seconds  = optional(number)
        max_age_seconds    = optional(number)
        max_per_second     = optional(number)
      }), {})
      dlq_visibility_timeout_seconds = optional(number)
      dlq_age_alarm_seconds          = optional(number)
    }), {})
    function_retry = optional(object({
      max_attempts    = optional(number, 2)
      max_age_seconds = optional(number, 21600)
    }), {})
    rule_retry = optional(object({
      max_age_seconds = optional(number, 86400)
      max_attempts    = optional(number, 185)
    }), {})
    vpc = optional(object({
      subnet_ids         = optional(list(string))
      security_group_ids = optional(list(string))
    }))
    existing_dlq = optional(object({
      arn = optional(string)
      url = optional(string)
      kms_key = optional(object({
        arn = optional(string)
      }))
    }))
  }))
  nullable = false
}

variable "routes" {
  type = map(object({
    pattern     = optional(string)
    match_all   = optional(bool, false)
    stage       = optional(string)
    enabled     = optional(bool, true)
    destination = optional(string)
    target = optional(object({
      http = optional(object({
        url             = optional(string)
        mode            = optional(string, "structured")
        headers         = optional(map(string), {})
        timeout_seconds = optional(number, 10)
        auth = optional(object({
          type       = optional(string)
          header     = optional(string)
          secret_arn = optional(string)
          kms_key = optional(object({
            arn = optional(string)
          }))
          token_url             = optional(string)
          scope                 = optional(string)
          audience              = optional(string)
          client_authentication = optional(string)
        }))
        tls = optional(object({
          ca_secret_arn                 = optional(string)
          client_certificate_secret_arn = optional(string)
          kms_key = optional(object({
            arn = optional(string)
          }))
        }))
        allowed_private_cidrs = optional(list(string), [])
        allow_http            = optional(bool, false)
      }))
      sqs = optional(object({
        queue_arn           = optional(string)
        queue_url           = optional(string)
        mode                = optional(string)
        message_group_id    = optional(string)
        manage_queue_policy = optional(bool, false)
        input_transformer = optional(object({
          paths    = optional(map(string), {})
          template = optional(string)
        }))
        kms_key = optional(object({
          arn = optional(string)
        }))
      }))
      sns = optional(object({
        topic_arn = optional(string)
        mode      = optional(string, "structured")
        kms_key = optional(object({
          arn = optional(string)
        }))
      }))
      event_bus = optional(object({
        bus_arn = optional(string)
      }))
      lambda = optional(object({
        function_arn    = optional(string)
        invocation      = optional(string, "request-response")
        mode            = optional(string, "envelope")
        timeout_seconds = optional(number, 20)
      }))
      firehose = optional(object({
        stream_arn = optional(string)
      }))
      step_functions = optional(object({
        state_machine_arn = optional(string)
      }))
      task_callback = optional(object({
        task_callbacks_table = optional(object({
          name = optional(string)
          arn  = optional(string)
        }), {})
        correlation_key = optional(string)
        success_when    = optional(string)
        failure_when    = optional(string)
        error           = optional(string)
        early_seconds   = optional(number)
        kms_key = optional(object({
          arn = optional(string)
        }))
      }))
      api_destination = optional(object({
        url                   = optional(string)
        method                = optional(string, "POST")
        rate_limit_per_second = optional(number, 300)
        connection = optional(object({
          arn = optional(string)
        }))
        role = optional(object({
          arn       = optional(string)
          unique_id = optional(string)
        }))
        auth = optional(object({
          type              = optional(string)
          header            = optional(string)
          secret_arn        = optional(string)
          secret_version_id = optional(string)
          token_url         = optional(string)
          scope             = optional(string)
          audience          = optional(string)
        }))
        headers     = optional(map(string), {})
        query       = optional(map(string), {})
        path_values = optional(list(string), [])
        input_transformer = optional(object({
          paths    = optional(map(string), {})
          template = optional(string)
        }))
        allow_http = optional(bool, false)
      }))
      logs = optional(object({
        log_group = optional(object({
          arn = optional(string)
        }))
        input_transformer = optional(object({
          paths    = optional(map(string), {})
          template = optional(string)
        }))
      }))
    }), {})
    ordering = optional(string)
    strict = optional(object({
      reorder_seconds = optional(number)
      on_failure      = optional(string)
      hold_seconds    = optional(number)
    }))
    circuit_breaker = optional(object({
      enabled           = optional(bool)
      failures          = optional(number)
      delay_seconds     = optional(number)
      max_delay_seconds = optional(number)
      hold_seconds      = optional(number)
    }))
    invocation = optional(string, "queue")
    function = optional(object({
      memory_mb            = optional(number)
      timeout_seconds      = optional(number)
      reserved_concurrency = optional(number)
      runtime              = optional(string)
      architecture         = optional(string)
      log_level            = optional(string)
      tracing              = optional(string)
      snap_start           = optional(bool)
      role = optional(object({
        arn       = optional(string)
        unique_id = optional(string)
      }))
      log_group = optional(object({
        arn = optional(string)
      }))
    }), {})
    queue = optional(object({
      enabled                    = optional(bool)
      batch_size                 = optional(number)
      batch_window_seconds       = optional(number)
      maximum_concurrency        = optional(number)
      visibility_timeout_seconds = optional(number)
      age_alarm_seconds          = optional(number)
    }), {})
    failure = optional(object({
      max_receive_count = optional(number)
      retry = optional(object({
        base_seconds = optional(number)
        max_seconds  = optional(number)
      }), {})
      redrive = optional(object({
        max_count          = optional(number)
        base_delay_seconds = optional(number)
        max_delay_seconds  = optional(number)
        max_age_seconds    = optional(number)
        max_per_second     = optional(number)
      }), {})
      dlq_visibility_timeout_seconds = optional(number)
      dlq_age_alarm_seconds          = optional(number)
    }), {})
    function_retry = optional(object({
      max_attempts    = optional(number, 2)
      max_age_seconds = optional(number, 21600)
    }), {})
    rule_retry = optional(object({
      max_age_seconds = optional(number, 86400)
      max_attempts    = optional(number, 185)
    }), {})
    vpc = optional(object({
      subnet_ids         = optional(list(string))
      security_group_ids = optional(list(string))
    }))
    existing_dlq = optional(object({
      arn = optional(string)
      url = optional(string)
      kms_key = optional(object({
        arn = optional(string)
      }))
    }))
  }))
  nullable = false
}
