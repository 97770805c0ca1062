"""The one table of sentences for the audit log: act → what somebody did, in both languages."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

#: act → sentence about its actor; every declared act has its line (tests/tidy/test_acts.py)
SENTENCES: dict[str, str | Promise] = {
    # identity
    "identity.add_person": _("%(actor)s added a person who may sign in"),
    "identity.invite": _("%(actor)s invited a person who may sign in"),
    "identity.renew_sign_in": _(
        "%(actor)s ended a person's password and second factor and invited them anew"
    ),
    "identity.accept": _("%(actor)s accepted the invitation and set a password"),
    "identity.change_role": _("%(actor)s gave a person another role"),
    "identity.deactivate": _("%(actor)s stopped a person's sign-in"),
    "identity.reactivate": _("%(actor)s let a person sign in again"),
    "identity.set_password": _("%(actor)s gave a person a new password"),
    "identity.enrol_totp": _("%(actor)s gave a person a new second factor"),
    "identity.issue_key": _("%(actor)s issued an API key to an agency's system"),
    "identity.end_key": _("%(actor)s ended an API key"),
    # book
    "book.import": _("%(actor)s imported a file into the book"),
    "book.place_hold": _("%(actor)s put a hold on a borrower or an account"),
    "book.release_hold": _("%(actor)s ended a hold"),
    # partners
    "partners.register_agency": _("%(actor)s entered a candidate agency"),
    "partners.add_paper": _("%(actor)s filed a paper of an agency"),
    "partners.verify_paper": _("%(actor)s verified a paper of an agency"),
    "partners.assess": _("%(actor)s assessed an agency"),
    "partners.propose_approval": _("%(actor)s proposed an agency for approval"),
    "partners.decide_proposal": _("%(actor)s decided on a proposal about an agency"),
    "partners.sign_agreement": _("%(actor)s put an agreement with an agency in force"),
    "partners.end_agreement": _("%(actor)s ended an agreement with an agency"),
    "partners.register_collector": _("%(actor)s registered a collector"),
    "partners.end_collector": _("%(actor)s let a collector go"),
    "partners.set_training": _("%(actor)s wrote down how long a collector's training is valid"),
    "partners.enter_group": _("%(actor)s wrote down that an agency belongs to a group of owners"),
    "partners.leave_group": _("%(actor)s ended an agency's membership of a group of owners"),
    "partners.enter_conflict": _("%(actor)s entered a conflict of an agency"),
    "partners.end_conflict": _("%(actor)s ended a conflict of an agency"),
    "partners.set_capacity": _("%(actor)s changed what an agency may hold"),
    "partners.suspend": _("%(actor)s suspended an agency"),
    "partners.reinstate": _("%(actor)s lifted the suspension of an agency"),
    # plans
    "plans.draft_plan": _("%(actor)s drew up a collection plan"),
    "plans.sign_as_lender": _("%(actor)s signed a collection plan for the lender"),
    "plans.sign_as_agency": _("%(actor)s signed a collection plan for the agency"),
    "plans.finish_milestone": _("%(actor)s finished a milestone"),
    "plans.draft_strategy": _("%(actor)s began a new version of the strategy"),
    "plans.save_rows": _("%(actor)s changed the rows of a strategy"),
    "plans.publish_strategy": _("%(actor)s put a strategy in force"),
    "plans.apply_strategy": _("%(actor)s applied the strategy to the book"),
    # placement
    "placement.train_model": _("%(actor)s trained a model of expected recovery"),
    "placement.promote_model": _("%(actor)s put a model of expected recovery to use"),
    "placement.solve_run": _("%(actor)s solved a placement run"),
    "placement.propose_run": _("%(actor)s proposed a placement run"),
    "placement.decide_run": _("%(actor)s decided on a placement run"),
    "placement.recall": _("%(actor)s recalled placements"),
    "placement.expire": _("%(actor)s ended placements whose term was over"),
    "placement.accept": _("%(actor)s accepted offered placements for their agency"),
    "placement.decline": _("%(actor)s declined offered placements for their agency"),
    "placement.lapse": _("%(actor)s ended offers that were not answered in time"),
    "placement.refill": _("%(actor)s placed declined accounts of a run again"),
    "placement.give_notice": _("%(actor)s gave notice of a recall"),
    "placement.withdraw_notice": _("%(actor)s withdrew a notice of recall"),
    "placement.finalise_recalls": _("%(actor)s made recalls final whose day had come"),
    "placement.object": _("%(actor)s objected to recalls for their agency"),
    "placement.decide_objections": _("%(actor)s decided objections to recalls"),
    "placement.retain": _("%(actor)s extended the term of placements"),
    "placement.set_terms": _("%(actor)s put terms for answers, recalls and retention in force"),
    # sharing
    "sharing.register_recipient": _("%(actor)s registered an agency's public key"),
    "sharing.build": _("%(actor)s built a package for an agency"),
    "sharing.collect": _("%(actor)s collected a package"),
    "sharing.acknowledge": _("%(actor)s acknowledged a package"),
    "sharing.open_case": _("%(actor)s opened the disclosed facts of a case"),
    "sharing.revoke": _("%(actor)s revoked a package"),
    "sharing.confirm_destruction": _("%(actor)s confirmed that cases taken back were destroyed"),
    "sharing.sweep": _("%(actor)s removed files of packages that are not live"),
    # contact
    "contact.ask_permit": _("%(actor)s asked for permits"),
    "contact.log_attempt": _("%(actor)s reported attempts"),
    "contact.close_violation": _("%(actor)s closed a violation"),
    # ledger
    "ledger.open_book": _("%(actor)s booked opening balances"),
    "ledger.report_remittance": _("%(actor)s reported a remittance"),
    "ledger.receive_bank_lines": _("%(actor)s took in bank lines"),
    "ledger.book_remittances": _("%(actor)s booked remittances"),
    "ledger.book_direct_payments": _("%(actor)s booked payments made straight to the lender"),
    "ledger.reverse_payment": _("%(actor)s reversed a payment"),
    "ledger.draw_statement": _("%(actor)s drew up a settlement statement"),
    "ledger.agree_statement": _("%(actor)s agreed to a settlement statement"),
    "ledger.approve_statement": _("%(actor)s approved a settlement statement and paid its commission"),
    "ledger.record_cost": _("%(actor)s booked a cost of in-house collection"),
    # tracking
    "tracking.record_promise": _("%(actor)s recorded promises to pay"),
    "tracking.decide_promises": _("%(actor)s decided promises by the money that was booked"),
    "tracking.hold_review": _("%(actor)s held a review with an agency"),
    "tracking.raise_alerts": _("%(actor)s looked for alerts"),
    "tracking.close_alert": _("%(actor)s closed an alert"),
    # care
    "care.open_case": _("%(actor)s opened a case for a borrower"),
    "care.decide_case": _("%(actor)s decided a borrower's case"),
    "care.stop_everywhere": _("%(actor)s stopped every contact with a borrower"),
    "care.set_wish": _("%(actor)s set a borrower's contact wish"),
    "care.issue_code": _("%(actor)s issued an access code for a borrower"),
    "care.sign_in": _("%(actor)s checked a borrower's access code"),
    # evaluation
    "evaluation.evaluate": _("%(actor)s evaluated the agencies"),
    "evaluation.decide": _("%(actor)s decided on an agency from its scorecard"),
}


def sentence(act: str, *, actor: str) -> str:
    """Give what `actor` did as a sentence in the present language; an act of another version of the program keeps its name."""
    known = SENTENCES.get(act)
    template = str(known) if known is not None else gettext("%(actor)s did “%(act)s”")
    return template % {"actor": actor, "act": act}
