"""More of what no row may be: (table, which row, what is written, the check that refuses it)."""

BLANK = ("''", "' '", r"E'\t\r\n'")
WENT_OUT = "sent_at = created_at, first_sent_at = created_at"
VERSIONED = ("accounts", "holds", "interactions", "requirements", "resolutions")
TEXTS = (
    ("accounts", "true", "business_name", "says_something"),
    ("holds", "true", "placed_by_id", "says_something"),
    ("interactions", "true", "subject", "says_something"),
    ("interactions", "true", "body", "says_something"),
    ("interactions", "true", "author_id", "says_something"),
    *(("programs", "true", name, "says_something") for name in ("code", "name", "title")),
    ("requirements", "true", "title", "says_something"),
    ("requirements", "true", "opened_by_id", "says_something"),
    ("resolutions", "true", "reason_code", "says_something"),
    ("resolutions", "state = 'DECLINED'", "decline_reason", "says_something"),
    ("resolutions", "true", "proposed_by_id", "somebody_has_an_id"),
    ("resolutions", "decided_by_id IS NOT NULL", "decided_by_id", "somebody_has_an_id"),
    ("resolutions", "state = 'APPEALED'", "appealed_by_id", "somebody_has_an_id"),
    ("resolutions", "state = 'UPHELD'", "appeal_decided_by_id", "somebody_has_an_id"),
)
# Of these, the empty text is refused by an older check.
OF_REJECTIONS = (
    *(("resolutions", "outcome = 'REJECTED'", n) for n in ("facts", "ground", "redress")),
    ("resolutions", "outcome = 'REJECTED'", "cited_fact"),
    ("resolutions", "state = 'APPEALED'", "appeal_statement"),
    ("resolutions", "state = 'UPHELD'", "appeal_reasons"),
    ("accounts", "rejected_at IS NOT NULL", "rejection_statement"),
)
INSTANTS = (
    ("accounts", "next_deadline", "instants_finite"),
    ("holds", "expires_at", "instants_finite"),
    ("interactions", "scheduled_for", "instants_finite"),
    ("requirements", "deadline", "deadlines_finite"),
    ("requirements", "updated_at", "steps_finite"),
)
ILLEGAL = [
    *((t, w, f"{name} = {text}", c) for t, w, name, c in TEXTS for text in BLANK),
    *((t, w, f"{n} = {text}", "says_something") for t, w, n in OF_REJECTIONS for text in BLANK[1:]),
    ("accounts", "rejected_at IS NOT NULL", "rejected_by_id = ''", "says_something"),
    ("holds", "true", "released_by_id = ''", "released_by_somebody"),
    *((t, "true", "version = 0", "changes_counted") for t in VERSIONED),
    *((t, "true", "version = -1", "changes_counted") for t in VERSIONED),
    *(
        (t, "true", "updated_at = created_at - interval '1 second'", "changes_counted")
        for t in VERSIONED
    ),
    ("requirements", "true", "assignee_name = 'Rita'", "assignee_has_an_id"),
    *((table, "true", f"{name} = 'infinity'", check) for table, name, check in INSTANTS),
    (
        "requirements",
        "state = 'SUBMITTED'",
        "review_due_at = 'infinity', review_at_risk_at = created_at",
        "review_target_finite",
    ),
    ("requirements", "closed_at IS NOT NULL", "closed_at = '-infinity'", "steps_finite"),
    ("requirements", "state = 'REJECTED'", "appeal_deadline = 'infinity'", "rejection_finite"),
    ("requirements", "state = 'REJECTED'", "restricts_until = 'infinity'", "rejection_finite"),
    (
        "resolutions",
        "restricts_from IS NOT NULL",
        "restricts_from = 'infinity'",
        "statement_finite",
    ),
    ("resolutions", "decided_at IS NOT NULL", "decided_at = '-infinity'", "decided_finite"),
    (
        "requirements",
        "state = 'REJECTED' AND appealed_at IS NULL",
        "appealed_at = appeal_deadline",
        "time_to_appeal_kept",
    ),
    (
        "requirements",
        "state = 'IN_REVIEW' AND appealed_at IS NOT NULL",
        "appeal_deadline = NULL",
        "time_to_appeal_kept",
    ),
    (
        "requirements",
        "state = 'REJECTED' AND appealed_at IS NULL",
        "appeal_deadline = closed_at - interval '1 second'",
        "time_to_appeal_after_rejection",
    ),
    *(
        (
            "requirements",
            "state = 'IN_REVIEW' AND appealed_at IS NOT NULL",
            f"proposed_outcome = '{outcome}'",
            "proposal_before_appeal",
        )
        for outcome in ("SATISFIED", "WAIVED")
    ),
    (
        "resolutions",
        "restricts_from IS NOT NULL",
        "restricts_from = decided_at - interval '1 second'",
        "restricts_once_decided",
    ),
    (
        "resolutions",
        "state = 'APPEALED'",
        "appealed_at = decided_at - interval '1 second'",
        "steps_in_order",
    ),
    (
        "resolutions",
        "state = 'UPHELD'",
        "appeal_decided_at = appealed_at - interval '1 second'",
        "steps_in_order",
    ),
    *(
        ("interactions", "true", f"state = '{state}', {WENT_OUT}", "state_leaves_its_mark")
        for state in ("DELIVERED", "VIEWED", "RESPONDED")
    ),
    *(
        (
            *("interactions", "channel = 'EMAIL'", f"state = 'SENT', {WENT_OUT}, {two}"),
            "mailed_or_shown",
        )
        for two in (
            "mailed_at = created_at, dashboard_only = 'NO_ADDRESS'",
            "mailed_at = created_at, attempt_at = created_at",
            "attempt_at = created_at, dashboard_only = 'NO_MAIL_SERVER'",
        )
    ),
    *(
        ("interactions", "true", f"subject = E'One{end}Two'", "subject_is_one_line")
        for end in (r"\r", r"\n", r"\r\n", r"\u2028", r"\x01", r"\u0085")
    ),
    ("interactions", "true", "subject = NULL", "e_mail_has_a_subject"),
    ("interactions", "true", "author_kind = 'ACCOUNT_USER'", "outbound_is_the_platforms"),
    ("interactions", "true", "in_reply_to_id = id", "answers_another"),
    ("interactions", "true", "state = 'SENT', sent_at = created_at", "sent_first_or_again"),
    (
        "interactions",
        "true",
        "state = 'SENT', sent_at = created_at, first_sent_at = created_at + interval '1 second'",
        "sent_first_or_again",
    ),
    ("interactions", "true", "attempts = 1", "attempts_counted"),
]
