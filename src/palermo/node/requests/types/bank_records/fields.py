"""The form of a request for bank and subscriber records: each question with the provision that asks for it."""

from palermo.node.requests.types.form import YES_NO_UNKNOWN, FormField, Widget, section

OFFENCE = section(
    "The offence",
    FormField(
        "offence",
        "Offence",
        "Name the offence, the law that punishes it and the heaviest penalty.",
        "UNTOC 18(15)(b)",
        max_length=1000,
    ),
    FormField(
        "offence_kind",
        "How the Convention covers it",
        "Listed: participation in a group, laundering, corruption or obstruction of justice (Articles 5, 6, 8, 23).",
        "UNTOC 3(1)",
        Widget.RADIO,
        choices=(
            ("listed", "Listed offence"),
            ("serious", "Serious crime: four years or more at the maximum"),
            ("other", "Neither"),
            ("unknown", "Not known"),
        ),
    ),
    FormField(
        "maximum_years",
        "Heaviest penalty, in years of imprisonment",
        "For a serious crime: a number, such as 10.",
        "UNTOC 2(b)",
        Widget.TEXT,
        required=False,
        max_length=6,
    ),
    FormField(
        "transnational",
        "Are there reasonable grounds to suspect that the offence is transnational?",
        "Committed, planned or directed, by a group active, or with substantial effects, in more than one State.",
        "UNTOC 18(1)",
        Widget.RADIO,
        choices=YES_NO_UNKNOWN,
    ),
    FormField(
        "transnational_grounds",
        "Grounds to suspect that it is transnational",
        "The facts on which the suspicion rests.",
        "UNTOC 18(1)",
    ),
    FormField(
        "organised_group",
        "Are there reasonable grounds to suspect that an organized criminal group is involved?",
        "Three or more persons, acting together over time, to commit serious crimes for gain.",
        "UNTOC 18(1)",
        Widget.RADIO,
        choices=YES_NO_UNKNOWN,
    ),
    FormField(
        "group_grounds",
        "Grounds to suspect that such a group is involved",
        "The facts on which the suspicion rests.",
        "UNTOC 18(1)",
    ),
    FormField(
        "other_treaty",
        "Does another treaty of mutual assistance bind both States?",
        "If one does, its provisions apply, unless both agree to use Article 18(9) to (29) in their place.",
        "UNTOC 18(7)",
        Widget.RADIO,
        required=False,
        choices=(
            ("none", "No"),
            ("agreed", "Yes, and both agree to use UNTOC in its place"),
            ("applies", "Yes"),
            ("unknown", "Not known"),
        ),
    ),
)

PROCEEDING = section(
    "The proceeding",
    FormField(
        "nature",
        "Nature of the proceeding",
        "What stage it has reached.",
        "UNTOC 18(15)(b)",
        Widget.RADIO,
        choices=(
            ("investigation", "Investigation"),
            ("prosecution", "Prosecution"),
            ("judicial proceeding", "Judicial proceeding"),
        ),
    ),
    FormField("subject_matter", "Subject matter", "What the proceeding is about.", "UNTOC 18(15)(b)"),
    FormField(
        "conducting_authority",
        "Authority conducting it",
        "Its full name.",
        "UNTOC 18(15)(b)",
        Widget.TEXT,
        max_length=200,
    ),
    FormField(
        "conducting_functions",
        "Functions of that authority",
        "Such as: investigates fraud under the direction of the public prosecutor.",
        "UNTOC 18(15)(b)",
        max_length=1000,
    ),
    FormField("summary", "Summary of the relevant facts", "What happened, when, where, who.", "UNTOC 18(15)(c)"),
)

RECORDS = section(
    "The records",
    FormField(
        "assistance",
        "Assistance sought",
        "Which records, from which bank or provider, certified how.",
        "UNTOC 18(15)(d)",
    ),
    FormField(
        "accounts",
        "Accounts or subscribers",
        "One a line: IBAN, or bank and account number, or telephone number. Leave empty only if persons are named.",
        "UNTOC 18(3)(f)",
        required=False,
    ),
    FormField("period_from", "Records from", "First day, such as 2026-01-01.", "UNTOC 18(15)(d)", Widget.DATE),
    FormField("period_to", "Records to", "Last day.", "UNTOC 18(15)(d)", Widget.DATE),
    FormField(
        "procedure",
        "Particular procedure wished",
        "Such as: copies certified by the bank's officer. Write 'none' if you wish none.",
        "UNTOC 18(15)(d)",
        required=False,
        max_length=1000,
    ),
    FormField(
        "persons",
        "Persons concerned",
        "One a line: identity; location; nationality. Leave a part empty where it is not known.",
        "UNTOC 18(15)(e)",
        required=False,
    ),
    FormField(
        "persons_unknown",
        "If no person can be named, why",
        "Leave empty if you named persons.",
        "UNTOC 18(15)(e)",
        Widget.TEXT,
        required=False,
        max_length=500,
    ),
    FormField("purpose", "Purpose", "What the records will be used for, and for nothing else.", "UNTOC 18(15)(f)"),
)

HANDLING = section(
    "Handling",
    FormField(
        "rests_on_intelligence",
        "Does the request rest on information that came by police or financial-intelligence channels?",
        "Then choose the hits it rests on: each needs the originator's recorded consent.",
        "UNTOC 18(5)",
        Widget.RADIO,
        choices=(("yes", "Yes"), ("no", "No")),
    ),
    FormField(
        "hits",
        "Hits it rests on",
        "Only hits that a person judged to be the same subject are offered.",
        "UNTOC 18(5)",
        Widget.HITS,
        required=False,
        max_length=2000,
    ),
    FormField(
        "language",
        "Language of the request",
        "Two letters, such as en; one that the other authority accepts.",
        "UNTOC 18(14)",
        Widget.TEXT,
        max_length=8,
    ),
    FormField(
        "confidential",
        "Shall fact and substance of the request stay confidential?",
        "The other authority tells nobody more than executing it takes.",
        "UNTOC 18(20)",
        Widget.RADIO,
        required=False,
        choices=(("yes", "Yes"), ("no", "No")),
    ),
    FormField("deadline", "Deadline suggested", "Only if there is one.", "UNTOC 18(24)", Widget.DATE, required=False),
    FormField(
        "deadline_reasons",
        "Reasons for the deadline",
        "Such as a hearing.",
        "UNTOC 18(24)",
        Widget.TEXT,
        required=False,
        max_length=500,
    ),
)

FIELDS = OFFENCE + PROCEEDING + RECORDS + HANDLING
