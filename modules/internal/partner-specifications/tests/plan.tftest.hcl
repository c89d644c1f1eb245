run "specifications_with_known_keys_and_presets_are_taken" {
  command = plan

  variables {
    specifications = {
      mux  = jsonencode({ preset = "mux" })
      acme = jsonencode({ id = "body.id", type = "body.type", verification = { method = "none" } })
      own  = null
    }
  }

  assert {
    condition     = output.documents.mux == { preset = "mux" } && length(output.documents) == 2
    error_message = jsonencode(output.documents)
  }
}

run "an_unknown_preset_is_refused" {
  command = plan

  variables {
    specifications = { mux = jsonencode({ preset = "muxx" }) }
  }

  expect_failures = [output.documents]
}

run "a_preset_that_is_no_text_is_refused" {
  command = plan

  variables {
    specifications = { mux = jsonencode({ preset = ["mux"] }) }
  }

  expect_failures = [output.documents]
}

run "a_misspelt_key_is_refused" {
  command = plan

  variables {
    specifications = { acme = jsonencode({ id = "body.id", typ = "body.type" }) }
  }

  expect_failures = [output.documents]
}
