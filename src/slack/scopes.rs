//! What the app may do in a workspace.

use super::{Error, Slack, from_reqwest, read};
use crate::secret::Secret;

impl Slack {
    /// What a token may do now, which Slack tells beside the answer to any call.
    ///
    /// [`auth.test`](https://docs.slack.dev/reference/methods/auth.test)
    pub async fn scopes(&self, token: &Secret) -> Result<Vec<String>, Error> {
        self.counted("auth.test", self.try_scopes(token)).await
    }

    async fn try_scopes(&self, token: &Secret) -> Result<Vec<String>, Error> {
        let request = self.http.post(format!("{}/auth.test", self.options.api_url)).bearer_auth(token.expose());
        let response = request.send().await.map_err(from_reqwest)?;
        let told = response.headers().get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok()).map(str::to_owned);
        read(response).await?;
        let told = told.ok_or_else(|| Error::Refused("unreadable".to_owned()))?;
        Ok(told.split(',').map(|scope| scope.trim().to_owned()).collect())
    }
}
