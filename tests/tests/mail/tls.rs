//! Mail servers that are spoken to over TLS, and those that are not who they should be.

use std::sync::Arc;

use anyhow::Result;
use patchbay_channels::email;
use patchbay_tests::{
    authority::Authority,
    dovecot::Dovecot,
    smtp::{Smtp, When},
    world::{PLAN, World},
};
use patchbay_web::settings::{Flags, load};

#[tokio::test]
async fn a_mail_is_read_and_answered_over_tls_from_the_start_and_by_starttls() -> Result<()> {
    for when in [When::FromTheStart, When::Upgraded] {
        let authority = Authority::new()?;
        let certificate = authority.certificate("localhost")?;
        let dovecot = Arc::new(Dovecot::start_with(Some(&certificate)).await?);
        let smtp = Smtp::start_with(Some(dovecot.clone()), Some((&certificate, when))).await?;
        let imap_url = dovecot.secure_url(PLAN, when == When::Upgraded);
        let mut world = World::with_servers(dovecot, smtp, |settings| {
            settings.email.imap_url = Some(imap_url.clone().into());
            settings.email.ca_file = Some(authority.file());
        })
        .await?;
        let ana = world.person("ana@example.org")?;
        let answer = world.answered(&ana, &ana.letter("help", "")).await?;
        assert!(answer.text().contains("I do not know yet who you are"), "{when:?}: {}", answer.text());
        world.patchbay.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_prove_who_it_is_is_not_spoken_to() -> Result<()> {
    let (authority, another) = (Authority::new()?, Authority::new()?);
    let (named, misnamed) = (authority.certificate("localhost")?, authority.certificate("mail.example.org")?);
    let unknown = "its certificate is of no authority that is trusted here: where it is one of your own, name its file in `email.ca_file`";
    let misnamed_why = "its certificate is for another name: use in the address the name that the certificate has";
    for (certificate, trusted, why) in [
        (&named, Some(authority.file()), None),
        (&named, None, Some(unknown)),
        (&named, Some(another.file()), Some(unknown)),
        (&misnamed, Some(authority.file()), Some(misnamed_why)),
    ] {
        for when in [When::FromTheStart, When::Upgraded] {
            let dovecot = Dovecot::start_with(Some(certificate)).await?;
            let smtp = Smtp::start_with(None, Some((certificate, when))).await?;
            let (mut settings, _) = load(&Flags::default())?;
            settings.email.imap_url = Some(dovecot.secure_url(PLAN, when == When::Upgraded).into());
            settings.email.smtp_url = Some(smtp.url().into());
            settings.email.ca_file.clone_from(&trusted);
            let checked = email::check(&settings.email).await;
            assert_eq!(checked.len(), 2);
            for (server, found) in checked {
                let told = found.err().map(|error| format!("{error:#}"));
                match why {
                    None => assert_eq!(told, None, "{server} {when:?}"),
                    Some(why) => {
                        assert!(told.as_ref().is_some_and(|told| told.contains("is not trusted") && told.contains(why)), "{server} {when:?}: {told:?}");
                    }
                }
            }
        }
    }
    Ok(())
}
