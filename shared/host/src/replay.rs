//! Dead letters, handled anew: what was put aside is taken out of its queue only once it has been handled.

use async_trait::async_trait;
use onus_pipeline::QueueError;
use serde::Serialize;
use serde_json::Value;

use crate::audit::PayloadAuditor;
use crate::failure::chain;
use crate::queue::Queue;

/// How long a letter is out before it comes back, where whoever takes it says so: longer than it takes to handle one batch. On Google Cloud
/// the subscription says it (`infra/gcp/topics.tf`).
#[cfg(any(feature = "aws", feature = "azure"))]
pub(crate) const OUT: std::time::Duration = std::time::Duration::from_mins(5);

/// One message of a dead letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What the queue knows it by while it is out.
    pub handle: String,
    /// Its text.
    pub body: String,
}

/// A queue that dead letters are taken out of. What is taken and not removed comes back by itself after a while.
#[async_trait]
pub trait LetterBox: Send + Sync {
    /// Takes some letters; none when there is none.
    ///
    /// # Errors
    /// The queue did not answer.
    async fn take(&self) -> Result<Vec<Letter>, QueueError>;

    /// Removes a letter that was handled.
    ///
    /// # Errors
    /// The queue did not answer. The letter comes back and is handled again, which is harmless.
    async fn remove(&self, letter: &Letter) -> Result<(), QueueError>;
}

/// What a letter holds, once what it was put aside in is off.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Inside {
    /// For the respond function: a job, or news of a request in the ledger.
    ForResponder(String),
    /// A payload with records.
    ForAuditor(String),
    /// It cannot be handled again, for this reason.
    Neither(String),
}

/// What became of the letters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Replayed {
    /// Audited here.
    pub audited: usize,
    /// Sent to the respond function's queue.
    pub sent: usize,
    /// Left in the queue, each with its reason.
    pub left: Vec<String>,
}

/// Handles letters again: records are audited, jobs are sent to the respond function's queue.
pub struct Replay<'a> {
    /// Where letters are taken from.
    pub letters: &'a dyn LetterBox,
    /// Audits payloads, with the sinks and the ledger of the functions; `None` leaves them.
    pub auditor: Option<&'a PayloadAuditor>,
    /// The respond function's queue; `None` leaves jobs.
    pub responses: Option<&'a dyn Queue>,
}

impl Replay<'_> {
    /// Handles at most so many letters, each at most once.
    ///
    /// # Errors
    /// The queue did not answer. What was handled until then is removed.
    pub async fn run(&self, most: usize) -> Result<Replayed, QueueError> {
        let mut replayed = Replayed::default();
        let mut seen = std::collections::BTreeSet::new();
        let mut handled = 0;
        while handled < most {
            let letters = self.letters.take().await?;
            // A queue that gives out what was left a moment ago has nothing new.
            let fresh: Vec<Letter> = letters.into_iter().filter(|letter| seen.insert(letter.body.clone())).collect();
            if fresh.is_empty() {
                break;
            }
            for letter in fresh.into_iter().take(most - handled) {
                handled += 1;
                match self.one(&letter.body, &mut replayed).await {
                    Ok(()) => self.letters.remove(&letter).await?,
                    Err(reason) => replayed.left.push(reason),
                }
            }
        }
        Ok(replayed)
    }

    async fn one(&self, body: &str, replayed: &mut Replayed) -> Result<(), String> {
        match opened(body) {
            Inside::Neither(reason) => Err(reason),
            Inside::ForResponder(message) => {
                let queue = self.responses.ok_or_else(|| "a job, and no queue is given to send it to".to_owned())?;
                queue.send(&message, "replayed").await.map_err(|error| chain(&error))?;
                replayed.sent += 1;
                Ok(())
            }
            Inside::ForAuditor(payload) => {
                let auditor = self.auditor.ok_or_else(|| "a record, and nobody is here to audit it".to_owned())?;
                let audited = auditor.audit(&payload).await.map_err(|error| chain(&error))?;
                if audited.put_aside > 0 {
                    return Err("it still cannot be handled, and was put aside anew".to_owned());
                }
                replayed.audited += 1;
                Ok(())
            }
        }
    }
}

/// Takes off what a letter was put aside in: Onus's own reason, or the envelope of a platform's failed invocation.
///
/// Source: "Retaining records of asynchronous invocations", AWS Lambda developer guide (`requestPayload`).
fn opened(body: &str) -> Inside {
    let Ok(value) = serde_json::from_str::<Value>(body) else {
        return Inside::Neither("the letter is no JSON".to_owned());
    };
    if let (Some(what), Some(_)) = (value.get("what").and_then(Value::as_str), value.get("reason")) {
        if value.get("cut").and_then(Value::as_bool) == Some(true) {
            return Inside::Neither("the letter holds only the beginning of what it was about".to_owned());
        }
        return told_apart(what);
    }
    match value.get("requestPayload") {
        Some(payload) => told_apart(&payload.to_string()),
        None => told_apart(body),
    }
}

/// A job asks for something; news of a store name an object below `requests/`; all else has to be records.
fn told_apart(text: &str) -> Inside {
    let is_job = serde_json::from_str::<onus_pipeline::Job>(text).is_ok();
    if is_job || is_news(text) { Inside::ForResponder(text.to_owned()) } else { Inside::ForAuditor(text.to_owned()) }
}

/// Whether it is what S3, Event Grid or Cloud Storage say of a new object that is a request: each as the respond function of its cloud reads it.
fn is_news(text: &str) -> bool {
    if !text.contains("requests/") {
        return false;
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
    let kind = value.get("eventType").or_else(|| value.get("type")).and_then(Value::as_str);
    text.contains("\"s3\"")
        || kind == Some("Microsoft.Storage.BlobCreated")
        || value.pointer("/message/attributes/eventType").is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    const JOB: &str = r#"{"respond":"f-0123456789abcdef0123456789"}"#;

    #[test]
    fn letters_are_opened_in_all_the_ways_they_were_put_aside() {
        let event = json!({ "detail": { "eventName": "PutBucketPolicy" } }).to_string();
        let news = r#"{"Records":[{"s3":{"object":{"key":"requests/f-1/undo-1.json"}}}]}"#;
        let blob = r#"{"type":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/l/blobs/requests/f-1/undo-1.json"}"#;
        let object = r#"{"message":{"data":"e30=","attributes":{"eventType":"OBJECT_FINALIZE","objectId":"requests/f-1/undo-1.json"}}}"#;
        let subscription = r#"{"type":"Microsoft.Resources.ResourceWriteSuccess","data":{"filter":["Microsoft.Storage.BlobCreated","requests/"]}}"#;
        let cases = [
            (blob.to_owned(), Inside::ForResponder(blob.to_owned())),
            (object.to_owned(), Inside::ForResponder(object.to_owned())),
            (subscription.to_owned(), Inside::ForAuditor(subscription.to_owned())),
            (JOB.to_owned(), Inside::ForResponder(JOB.to_owned())),
            (json!({ "reason": "r", "what": JOB, "cut": false }).to_string(), Inside::ForResponder(JOB.to_owned())),
            (news.to_owned(), Inside::ForResponder(news.to_owned())),
            (event.clone(), Inside::ForAuditor(event.clone())),
            (json!({ "reason": "r", "what": event, "cut": false }).to_string(), Inside::ForAuditor(event.clone())),
            (
                json!({ "requestPayload": { "detail": { "eventName": "PutBucketPolicy" } } }).to_string(),
                Inside::ForAuditor(event),
            ),
        ];
        let wrong: Vec<_> = cases.into_iter().filter(|(body, inside)| opened(body) != *inside).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        for body in ["no JSON", r#"{"reason":"r","what":"{","cut":true}"#] {
            assert!(matches!(opened(body), Inside::Neither(_)), "{body}");
        }
    }

    #[derive(Default)]
    struct Box_ {
        letters: Mutex<Vec<String>>,
        sent: Mutex<Vec<String>>,
        refuses: bool,
    }

    #[async_trait]
    impl LetterBox for Box_ {
        async fn take(&self) -> Result<Vec<Letter>, QueueError> {
            let letters = self.letters.lock().unwrap();
            Ok(letters.iter().take(2).map(|body| Letter { handle: body.clone(), body: body.clone() }).collect())
        }

        async fn remove(&self, letter: &Letter) -> Result<(), QueueError> {
            self.letters.lock().unwrap().retain(|body| *body != letter.body);
            Ok(())
        }
    }

    #[async_trait]
    impl Queue for Box_ {
        fn longest(&self) -> usize {
            1_000_000
        }

        async fn send(&self, message: &str, _: &str) -> Result<(), QueueError> {
            if self.refuses {
                return Err(QueueError { retryable: true, source: "down".into() });
            }
            self.sent.lock().unwrap().push(message.to_owned());
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_was_handled_is_removed_and_what_was_not_stays_with_a_reason() {
        let job = |n: u32| format!(r#"{{"respond":"f-{n:026}"}}"#);
        let all = || Mutex::new((0..5).map(job).chain(["no JSON".to_owned()]).collect());
        for (refuses, most, sent, left) in [(false, 100, 5, 1), (false, 3, 3, 3), (true, 100, 0, 6)] {
            let queue = Box_ { letters: all(), refuses, ..Box_::default() };
            let replay = Replay { letters: &queue, auditor: None, responses: Some(&queue) };
            let replayed = replay.run(most).await.unwrap();
            assert_eq!((replayed.sent, queue.sent.lock().unwrap().len()), (sent, sent), "{replayed:?}");
            assert_eq!(queue.letters.lock().unwrap().len(), left, "{replayed:?}");
        }
    }
}
