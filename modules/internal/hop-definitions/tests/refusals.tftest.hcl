# What is refused when planned. The messages are tested in tests/terraform/test_router_problems.py.

variables {
  name     = "media-test"
  bus_arn  = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  function = { memory_mb = 256, timeout_seconds = 30 }
  queue    = { batch_size = 10, batch_window_seconds = 0, visibility_timeout_seconds = null }
  failure = {
    max_receive_count = 5
    retry             = { base_seconds = 5, max_seconds = 900 }
    redrive           = { base_delay_seconds = 60, max_delay_seconds = 3600 }
  }
  transforms = {}
  routes     = {}
}

run "a_pattern_that_names_the_stage" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ detail = { metadata = { stage = ["received"] } } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [output.hops]
}

run "a_pattern_that_names_redrive_in_an_alternative" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ detail = { "$or" = [{ metadata = { redrive = { count = [1] } } }, { data = { a = [1] } }] } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [output.hops]
}

run "a_pattern_with_a_field_that_no_event_has" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ metadata = { partner = ["mux"] } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [output.hops]
}

run "a_pattern_with_a_bare_value" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = "partner.mux" }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [output.hops]
}

run "a_pattern_with_a_bare_value_inside" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ detail = { data = { kind = "video" } } }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [output.hops]
}

run "a_pattern_longer_than_eventbridge_takes" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = [for i in range(200) : "partner.${i}"] }), target = { http = { url = "https://cms.example.com/" } } } }
  }

  expect_failures = [output.hops]
}

run "t5_a_url_that_is_a_private_address" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://10.0.0.7/events" } } } }
  }

  expect_failures = [output.hops]
}

run "a_private_address_that_is_meant" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://10.0.0.7/events", allowed_private_cidrs = ["10.0.0.0/8"] } }, vpc = { subnet_ids = ["subnet-0a"], security_group_ids = ["sg-0a"] } } }
  }

  assert {
    condition     = length(output.hops.text_problems["cms"]) == 0
    error_message = "An allowed network must be let through."
  }
}

run "two_routes_that_manage_the_policy_of_one_queue" {
  command = plan

  variables {
    routes = {
      one = { pattern = jsonencode({ source = ["partner.mux"] }), target = { sqs = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:lake", queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake", manage_queue_policy = true } } }
      two = { pattern = jsonencode({ source = ["partner.mux"] }), target = { sqs = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:lake", queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake", manage_queue_policy = true } } }
    }
  }

  expect_failures = [output.hops]
}

run "a_package_that_is_not_there" {
  command = plan

  variables {
    transforms = {
      complete = {
        pattern = jsonencode({ source = ["partner.frameio"] })
        steps   = jsonencode([{ python = { function = "acme_steps:tidy" } }])
        package = "tests/none.zip"
      }
    }
  }

  expect_failures = [output.hops]
}

run "a_misspelt_attribute" {
  command = plan

  variables {
    routes = { cms = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://cms.example.com/" } }, failure = { max_recieve_count = 2 } } }
  }

  expect_failures = [output.hops]
}

run "hops_have_their_own_values_over_the_modules_and_defaults_elsewhere" {
  command = plan

  variables {
    failure = {
      max_receive_count = 7
      retry             = { base_seconds = 5, max_seconds = 600 }
      redrive           = { base_delay_seconds = 60, max_delay_seconds = 3600 }
    }
    routes = {
      cms = {
        pattern = jsonencode({ source = ["partner.mux"] })
        target  = { http = { url = "https://cms.example.com/", timeout_seconds = 20 } }
        failure = { retry = { base_seconds = 1 } }
      }
      audit = {
        pattern   = jsonencode({})
        match_all = true
        target    = { logs = {} }
        failure   = { redrive = { max_delay_seconds = 600 } }
      }
    }
  }

  assert {
    condition = (
      output.hops.routes["cms"].failure.max_receive_count == 7
      && output.hops.routes["cms"].failure.retry == { base_seconds = 1, max_seconds = 600 }
      && output.hops.routes["cms"].function.timeout_seconds == 30
      && output.hops.routes["cms"].target.http.timeout_seconds == 20
      && output.hops.routes["cms"].target.http.mode == "structured"
      && output.hops.routes["cms"].rule_retry == { max_age_seconds = 86400, max_attempts = 185 }
      && output.hops.hops["cms"] == { hop = "route/cms", stage = "received", enabled = true, rule_retry = { max_age_seconds = 86400, max_attempts = 185 } }
    )
    error_message = "What a hop does not say the module says, and what neither says limits.json."
  }

  assert {
    condition     = keys(output.hops.routes_by_rule) == ["audit"] && output.hops.routes_by_rule["audit"].failure.dlq_age_alarm_seconds == 4200
    error_message = "Dead letters of a rule wait for redrives alone."
  }
}
