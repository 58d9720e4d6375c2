"""What the two sides of the demo say to each other about a requirement, by its program.

All of it may be read by the business: in letters, statements of reasons and appeals.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The words under one program.

    `question` and `answer` are a message of the business and the reply; `accepted` and `refused`
    the facts of decisions; `appeal` what the business objects, `upheld` and `overturned` the
    reasons of who decides on that.
    """

    question: str
    answer: str
    accepted: str
    refused: str
    appeal: str
    upheld: str
    overturned: str


def words_for(code: str) -> Words:
    """The words under the program of this code."""
    return _WORDS[code]


_WORDS = {
    "identity.representative": Words(
        question="My passport has expired. Does the driving licence do?",
        answer="Yes, a driving licence does. Please photograph both sides.",
        accepted="The document and the details belong to the same person.",
        refused="The picture on the document was replaced: its edges cover the seal.",
        appeal="The document is genuine. I attach a letter of the office that issued it.",
        upheld="The office that issues these documents does not know this one.",
        overturned="The office has confirmed that it issued the document.",
    ),
    "business.registration": Words(
        question="We are a sole trader, and in no register. What do we send?",
        answer="Then the trade licence is what we need.",
        accepted="The commercial register confirms the business.",
        refused="The commercial register says that the business was dissolved.",
        appeal="The register is out of date: the dissolution was withdrawn.",
        upheld="The register still says that the business was dissolved.",
        overturned="The register has been corrected, and lists the business again.",
    ),
    "ownership.beneficial_owners": Words(
        question="Two of us own half each. Do you need both?",
        answer="Yes, please: everybody with 25 % or more.",
        accepted="The register of owners confirms the names and shares that you sent.",
        refused="The register of owners names somebody whom you have left out.",
        appeal="That person sold us their share in spring. The register is out of date.",
        upheld="The register was asked once more, and still names the person.",
        overturned="The contract that you sent shows the sale of the share.",
    ),
    "documents.proof_of_address": Words(
        question="The bill is in my name, not in that of the business. Is it enough?",
        answer="Only with a second document that shows the business at that address.",
        accepted="The document shows the name and the address of the business.",
        refused="Letters to the address came back: nobody of that name receives any there.",
        appeal="We share the building. The name is on the door since last week.",
        upheld="We have written to the address again, and the letter came back again.",
        overturned="We have written to the address again, and you have answered.",
    ),
    "bank_account.ownership": Words(
        question="May I black out the amounts on the statement?",
        answer="Yes. We only need the name, the number and the date.",
        accepted="The bank confirms that the account belongs to the business.",
        refused="The bank says that the account belongs to somebody else.",
        appeal="It is the account of the business under its former name.",
        upheld="The bank knows the account under neither of the two names.",
        overturned="The bank has confirmed the former name of the business.",
    ),
    "terms.acceptance": Words(
        question="What changes for us with the new terms?",
        answer="The periods of notice in section 8 get longer. All else stays as it is.",
        accepted="The new terms were accepted for the business.",
        refused="Whoever accepted may not sign for the business, as its register says.",
        appeal="I have been a director since May, and may sign alone.",
        upheld="The register says that two directors sign together.",
        overturned="The register has been corrected: you may sign alone.",
    ),
    "tax.identification": Words(
        question="We have applied for the number and do not have it yet. What now?",
        answer="Send us the date of your application, and we extend the deadline.",
        accepted="The tax authority confirms the number.",
        refused="The tax authority knows no number of this business.",
        appeal="The number is new. The authority needs some days to list it.",
        upheld="The tax authority was asked once more, and does not know the number.",
        overturned="The tax authority lists the number by now.",
    ),
    "business_model.website": Words(
        question="Our website is only ready next month. Does a catalogue do?",
        answer="Yes, if it shows prices and how customers get their money back.",
        accepted="The website shows what is sold, at what price, and how it is returned.",
        refused="The website sells what can't be sold here, under another name.",
        appeal="These products were taken off the website a month ago.",
        upheld="The products can still be ordered by a link on the second page.",
        overturned="The products can't be ordered on the website any more.",
    ),
    "supportability.appeal": Words(
        question="Which of our products do you mean?",
        answer="The one with nicotine. All others may be sold.",
        accepted="The product contains nothing that can't be sold here.",
        refused="The product is one of those that can't be sold here: it contains nicotine.",
        appeal="The recipe has changed. There is no nicotine in it any more.",
        upheld="The label that you sent still names nicotine.",
        overturned="The laboratory's report shows that there is no nicotine in it.",
    ),
    "restricted_industry.licence": Words(
        question="Our licence is being renewed. Does the old one count?",
        answer="Send the old one, and the receipt for the renewal with it.",
        accepted="The authority confirms the licence, the business and the country.",
        refused="The authority does not know a licence of this number.",
        appeal="The number has a misprint: the last two digits are the wrong way round.",
        upheld="The authority does not know the other number either.",
        overturned="The authority confirms the licence under the number that you now gave.",
    ),
    "credit.financial_statements": Words(
        question="Our accounts of last year are not audited yet. What do you need?",
        answer="The draft of your accountant does for now.",
        accepted="What you owe customers is covered by what the business owns.",
        refused="What customers have paid ahead is more than four times what the business owns.",
        appeal="We have raised capital since. I attach the bank's letter.",
        upheld="With the new capital, it is still more than three times as much.",
        overturned="With the new capital, what customers have paid ahead is covered.",
    ),
    "credit.dispute_plan": Words(
        question="How long do we have until the plan must show in our figures?",
        answer="Three months. Tell us what you change first.",
        accepted="The plan names the cause of the disputes, and measures against it.",
        refused="The plan changes the carrier, but most disputes are about refunds.",
        appeal="Refunds are made within two days since June. The figures are from before.",
        upheld="The disputes of the last month are about refunds, too.",
        overturned="The disputes of the last month are half as many as before.",
    ),
    "sanctions.name_match": Words(
        question="Why do you need to know where I was born?",
        answer="It tells you from others of the same name. We use it for nothing else.",
        accepted="The details that you sent show that it is another person.",
        refused="The details that you sent do not show that it is another person.",
        appeal="I was born somewhere else. I attach my birth certificate.",
        upheld="The certificate does not show that it is another person, either.",
        overturned="The certificate shows that it is another person.",
    ),
}
